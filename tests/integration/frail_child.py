"""What a child process runs in tests of pages that it does not survive: quick to start, and frail."""

import os
import signal
from collections.abc import Callable
from typing import Any

from newswire_ingest.extract import Extraction
from newswire_ingest.feeds import parse_feed

KILLER = b"this page kills"
NONSENSE = b"this page is answered with nonsense"


def handler(_config: Any) -> Callable[[tuple[str, dict[str, Any]]], Any]:
    """Return the handler of feeds and pages: a page that says so kills its process."""

    def handle(item: tuple[str, dict[str, Any]]) -> Any:
        kind, content = item
        if kind == "feed":
            return parse_feed(content["body"], content["url"], content["content_type"])
        if KILLER in content["body"]:
            os.kill(os.getpid(), signal.SIGKILL)
        if NONSENSE in content["body"]:
            return "nonsense"
        return Extraction(canonical_url=content["url"], title="T", text="Text of a page that kills nobody.")

    return handle
