"""Mappings and their version number change together: who set up the older ones must be told to upgrade."""

import json
from pathlib import Path
from typing import Any

import pytest

from newswire_index.elastic.mapping import VERSION, analysis, article_mappings, revision_mappings
from newswire_index.operations.mapping import OPERATIONS_MAPPINGS

pytestmark = pytest.mark.unit

FOLDER = Path(__file__).parents[1] / "golden" / "elasticsearch"
GOLDEN = FOLDER / f"{VERSION}.json"


def today() -> dict[str, Any]:
    """Return all that a version stands for."""
    return {
        "analysis": analysis(),
        "articles": article_mappings(),
        "revisions": revision_mappings(),
        **OPERATIONS_MAPPINGS,
    }


def test_a_change_of_the_mappings_is_a_new_version() -> None:
    """After a release: let VERSION grow, and add a file of its name; before, write the file anew."""
    text = json.dumps(today(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"

    assert GOLDEN.read_text(encoding="utf-8") == text


def test_versions_follow_each_other() -> None:
    """None is left out, and none is ahead."""
    assert sorted(int(path.stem) for path in FOLDER.glob("*.json")) == list(range(1, VERSION + 1))
