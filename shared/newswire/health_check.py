"""Asks a running process how it is, for ``newswire health`` and for the health check of a container.

``python -m newswire.health_check [--ready]`` is the same without the start-up time of the command line: it
imports little, as it may run every few seconds.
"""

import http.client
import os
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

ANSWER_SECONDS = 5.0
ONE_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  where whoever listens everywhere is found
OK = 200
MAX_BYTES = 65_536
WRONG = 2  # as the command line: the question is wrong


def address(port: int | None = None) -> str | None:
    """Return where this machine's process should answer, None if the settings do not say.

    Args:
        port: instead of NEWSWIRE_HEALTH_PORT.
    """
    chosen = str(port or os.environ.get("NEWSWIRE_HEALTH_PORT", ""))
    if chosen in {"", "0"}:
        return None
    host = os.environ.get("NEWSWIRE_HEALTH_HOST", "127.0.0.1")
    host = ONE_HOST.get(host, host)
    return f"http://[{host}]:{chosen}" if ":" in host else f"http://{host}:{chosen}"


def ask(url: str, *, ready: bool = False, seconds: float = ANSWER_SECONDS) -> tuple[bool, str]:
    """Return whether a process is alive, or ready, and what it says in one line.

    Args:
        url: ``http://host:port``.
        ready: ask whether it is ready.
        seconds: that it has to answer.
    """
    parts = urlsplit(url)
    try:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
        connection.request("GET", "/readyz" if ready else "/healthz")
        response = connection.getresponse()
        text = response.read(MAX_BYTES).decode("utf-8", "replace")
        connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        return False, f"no answer from {url}: {error}"
    return response.status == OK, "; ".join(text.split("\n")).strip("; ")


def main(arguments: Sequence[str]) -> int:
    """Ask, print one line, and return the exit code."""
    url = address()
    if url is None or set(arguments) - {"--ready"}:
        sys.stderr.write("set NEWSWIRE_HEALTH_PORT; the only argument is --ready\n")
        return WRONG
    good, text = ask(url, ready="--ready" in arguments)
    sys.stdout.write(f"{text}\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
