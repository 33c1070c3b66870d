"""All that Newswire brings to Kibana, as one file to import.

``python -m newswire_index.kibana.objects`` writes deploy/kibana/newswire.ndjson, which is for the empty
prefix; ``newswire kibana setup`` makes the same for its own prefix and imports it.
"""

import json
from pathlib import Path

from newswire_index.kibana.coverage import coverage, place_map
from newswire_index.kibana.form import Saved, data_view
from newswire_index.kibana.operations import operations
from newswire_index.kibana.searches import searches
from newswire_index.kibana.topic_watch import topic_watch
from newswire_index.kibana.views import Views

FILE = Path(__file__).parents[4] / "deploy/kibana/newswire.ndjson"  # in a checkout


def objects(prefix: str = "") -> list[Saved]:
    """Return the saved objects, each after those that it refers to.

    Args:
        prefix: ``NEWSWIRE_PREFIX``.
    """
    views = Views(prefix)
    return [
        *(data_view(view) for view in views.all()),
        *searches(views),
        place_map(views),
        coverage(views),
        topic_watch(views),
        operations(views),
    ]


def default_view(prefix: str = "") -> str:
    """Return the id of the data view that Kibana opens with where nobody chose another."""
    return Views(prefix).articles.id


def ndjson(found: list[Saved]) -> str:
    """Return saved objects as Kibana imports them: one a line."""
    return "".join(f"{json.dumps(each, ensure_ascii=False, sort_keys=True)}\n" for each in found)


if __name__ == "__main__":
    FILE.write_text(ndjson(objects()), encoding="utf-8")
