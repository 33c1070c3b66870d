"""Filters over JSON Lines: order, bad lines, deaths, streams that fail or are slow."""

import asyncio
import io
import json
import queue
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from unit.child_work import ClosedPipe

from newswire import jsonlines
from newswire.children import Children, Limits
from newswire.jsonlines import bounded, convert, error_row, run_filter

pytestmark = pytest.mark.unit

TARGET = "unit.child_work:lines"


@pytest.fixture(autouse=True)
def functions_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let children import this folder's modules."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))


def lines(*words: str) -> io.BytesIO:
    """Return a stream of lines."""
    return io.BytesIO("".join(f"{word}\n" for word in words).encode())


async def filtered(source: Any, workers: int = 2) -> tuple[int, list[dict[str, Any]]]:
    """Run the filter; return how many lines failed and the rows."""
    sink = io.StringIO()
    failed = await run_filter(TARGET, None, workers=workers, limits=Limits(), source=source, sink=sink)
    return failed, [json.loads(line) for line in sink.getvalue().splitlines()]


async def test_rows_come_in_the_order_of_the_lines() -> None:
    """A slow line holds its place."""
    words = ["slow 0", *(str(number) for number in range(1, 40))]
    failed, rows = await filtered(lines(*words))

    assert failed == 0
    assert rows == [{"line": word} for word in words]


async def test_empty_lines_are_no_lines() -> None:
    """Nor is the missing end of the last line a matter."""
    _, rows = await filtered(io.BytesIO(b"\n1\n  \n\n2"))

    assert rows == [{"line": "1"}, {"line": "2"}]


async def test_nothing_in_nothing_out() -> None:
    """An empty stream is done at once."""
    assert await filtered(lines()) == (0, [])


async def test_a_bad_line_gets_an_error_with_its_id() -> None:
    """The others are not touched, and the failures are counted."""
    failed, rows = await filtered(lines("1", '{"id": "b", "bad": 1}', "3"))

    assert failed == 1
    assert rows == [
        {"line": "1"},
        {"id": "b", "error": {"code": "handler-failed", "message": "ValueError: a bad line"}},
        {"line": "3"},
    ]


async def test_a_line_that_kills_its_child_gets_an_error() -> None:
    """So do others that do so; the rest is answered, in order."""
    failed, rows = await filtered(lines("1", '{"id": 2, "die": 1}', "3", "die", "5"))

    assert failed == 2
    assert [row.get("line") for row in rows] == ["1", None, "3", None, "5"]
    assert rows[1]["id"] == 2
    assert rows[1]["error"]["code"] == "child-killed"
    assert rows[3]["id"] is None


async def test_a_line_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not even parsed for its id."""
    monkeypatch.setattr(jsonlines, "LINE_BYTES", 10)
    failed, rows = await filtered(lines("123456789", "1234567890"))

    assert failed == 1
    assert rows[0] == {"line": "123456789"}
    assert rows[1] == {"id": None, "error": {"code": "too-large", "message": "a line of more than 10 bytes"}}


async def test_a_line_is_answered_before_the_next_one_comes() -> None:
    """A pipe that stays open is no reason to wait."""
    source: queue.Queue[bytes | None] = queue.Queue()
    async with Children(TARGET, workers=1) as pool:
        rows = convert(iter(source.get, None), pool)
        for word in ("a", "b"):
            source.put(word.encode())
            async with asyncio.timeout(10):
                assert await anext(rows) == {"line": word}
        source.put(None)
        assert [row async for row in rows] == []


async def test_lines_are_read_no_further_than_they_are_needed() -> None:
    """An endless stream does not fill the memory."""
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"slow"

    async with Children(TARGET, workers=1) as pool:
        rows = convert(endless(), pool)
        await anext(rows)
        await rows.aclose()

    assert read <= 1 + jsonlines.AHEAD + 2


async def test_a_stream_that_fails_ends_the_filter_with_its_error() -> None:
    """What came before is answered; nobody waits for ever."""

    def broken() -> Iterator[bytes]:
        yield b"1"
        raise OSError("the disk is gone")

    async with Children(TARGET, workers=1) as pool, asyncio.timeout(10):
        rows = convert(broken(), pool)

        assert await anext(rows) == {"line": "1"}
        with pytest.raises(OSError, match="the disk is gone"):
            await anext(rows)


async def test_a_reader_that_goes_away_leaves_nothing_behind() -> None:
    """No task and no child: ``newswire extract | head -1``."""
    before = asyncio.all_tasks()
    with pytest.raises(BrokenPipeError):
        await run_filter(
            TARGET, None, workers=2, limits=Limits(), source=lines(*"abcdefghijkl"),
            sink=ClosedPipe(),  # type: ignore[arg-type]  # all that is asked of it
        )  # fmt: skip

    assert asyncio.all_tasks() == before


async def test_progress_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere standard error stays clean."""
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    await filtered(lines("1", "2"))

    assert screen.getvalue() == ""


@pytest.mark.parametrize(
    ("line", "given"),
    [
        (b'{"id": "a"}', "a"),
        (b'{"id": 7, "x": 1}', 7),
        (b'{"x": 1}', None),
        (b"[1]", None),
        (b"not json", None),
        (b"\xff\xfe\x00", None),
        (b"[" * 100_000, None),
    ],
)
def test_an_error_carries_the_id_if_it_can_be_read(line: bytes, given: object) -> None:
    """Whatever the line holds."""
    assert error_row(line, "c", "m") == {"id": given, "error": {"code": "c", "message": "m"}}


def test_a_line_that_is_too_long_is_skipped_without_being_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its beginning is kept, and the next line is whole."""
    monkeypatch.setattr("newswire.jsonlines.LINE_BYTES", 8)
    lines = list(bounded(io.BytesIO(b"short\n" + b"x" * 1000 + b"\nnext\nlast")))

    assert [len(line) for line in lines] == [6, 9, 5, 4]
    assert lines[2] == b"next\n"


def test_a_line_of_exactly_the_bound_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its line feed it is one byte longer than the bound."""
    monkeypatch.setattr("newswire.jsonlines.LINE_BYTES", 4)

    assert list(bounded(io.BytesIO(b"1234\n5\n"))) == [b"1234\n", b"5\n"]
