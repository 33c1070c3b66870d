"""``newswire index rebuild`` and ``newswire index verify``."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from newswire.settings import Settings
    from newswire_index.settings import IndexSettings
    from newswire_index.verify.verifying import Report

Json = Annotated[bool, typer.Option("--json", help="A JSON row on standard output, for machines.")]


def register(index: typer.Typer) -> None:
    """Add the commands to the group."""
    index.command()(rebuild)
    index.command()(verify)


def rebuild(
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Only remove the indices that an earlier rebuild replaced.")
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Only remove what an unfinished rebuild has made.")
    ] = False,
    allow_rejected: Annotated[
        bool, typer.Option("--allow-rejected", help="Go on although the store rejects articles.")
    ] = False,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Go on without articles that the topic has lost.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make all indices of articles anew from newswire.enriched.v1, by today's templates.

    The old indices serve until the new ones are complete, and stay until --drop-old. The pipeline goes on
    beside it. Interrupted, the same command goes on where it stopped. Entries get no outcome.
    Exit code 1 if the new indices were not put in service.

    Example: newswire index rebuild
    """
    from newswire.errors import SettingsError  # noqa: PLC0415  heavy: only when it runs
    from newswire_index.rebuild import bootstrap  # noqa: PLC0415
    from newswire_index.rebuild.rebuilding import Options  # noqa: PLC0415

    if drop_old and abandon:
        raise SettingsError("--drop-old and --abandon are two things: give one of them")
    if drop_old or abandon:
        gone = asyncio.run(bootstrap.remove(*_settings(), _say, abandon=abandon))
        _tell({"removed": gone}, f"removed: {', '.join(gone) or 'nothing'}", as_json=as_json)
        return
    options = Options(allow_rejected=allow_rejected, allow_missing=allow_missing)
    result = asyncio.run(bootstrap.rebuild(*_settings(), options, _say))
    _tell(result, _rebuilt(result), as_json=as_json)
    raise typer.Exit(1 if result["done"] == "refused" else 0)


def verify(
    limit: Annotated[int, typer.Option(help="Differences to name.", min=0)] = 20,
    as_json: Json = False,
) -> None:
    """Compare the index with newswire.enriched.v1 and name what differs; exit code 1 if anything does.

    missing: on the topic only; stale: another version; unlike: the same version with another title or text;
    surplus: in the index only, or withdrawn; doubled: in the index twice. The pipeline may run meanwhile:
    what the index service has yet to read is in flight, and no difference.

    Example: newswire index verify --json
    """
    from dataclasses import asdict  # noqa: PLC0415

    from newswire_index.rebuild.bootstrap import verified  # noqa: PLC0415

    report = asyncio.run(verified(*_settings(), limit))
    row: dict[str, Any] = {"equal": report.is_equal, "articles": report.equal, "indexed": report.indexed}
    rest = ("in_flight", "withdrawn", "expired", "outlived", "unreadable")
    row |= {name: getattr(report, name) for name in rest}
    row |= {"counts": dict(report.counts), "differences": [asdict(each) for each in report.first]}
    _tell(row, _verified(report), as_json=as_json)
    raise typer.Exit(0 if report.is_equal else 1)


def _tell(row: dict[str, Any], text: str, *, as_json: bool) -> None:
    from newswire.terminal import json_line  # noqa: PLC0415

    typer.echo(json_line(row) if as_json else text)


def _say(line: str) -> None:
    from newswire.terminal import visible  # noqa: PLC0415

    typer.echo(visible(line), err=True)


def _rebuilt(row: dict[str, Any]) -> str:
    from newswire.terminal import visible  # noqa: PLC0415

    if row["done"] == "refused":
        return f"not rebuilt: {visible(row['why'])}"
    lines = [
        f"{each['month']}\t{each['articles']:,} articles in {each['index']}, {each['before']:,} before"
        for each in row["months"]
    ]
    counts = ", ".join(f"{word} {count:,}" for word, count in row["counts"].items()) or "nothing"
    old = ", ".join(row["old"]) or "none"
    return "\n".join(
        [*lines, f"rebuilt: {counts}", f"old indices, kept until `newswire index rebuild --drop-old`: {old}"]
    )


def _verified(report: "Report") -> str:
    from newswire.terminal import visible  # noqa: PLC0415

    lines = [
        "\t".join(map(visible, (each.kind, each.article_id, each.url or "-", each.why)))
        for each in report.first
    ]
    beside = {
        "in flight": report.in_flight, "withdrawn": report.withdrawn, "expired": report.expired,
        "older than the topic keeps": report.outlived, "unreadable on the topic": report.unreadable,
    }  # fmt: skip
    rest = "".join(f", {count:,} {words}" for words, count in beside.items() if count)
    if report.is_equal:
        return "\n".join([*lines, f"equal: {report.equal:,} articles{rest}"])
    counts = ", ".join(f"{kind} {count:,}" for kind, count in sorted(report.counts.items()))
    return "\n".join([*lines, f"different: {counts}; equal {report.equal:,}{rest}"])


def _settings() -> "tuple[Settings, IndexSettings]":
    from newswire.service import installed, load_all  # noqa: PLC0415
    from newswire.settings import load  # noqa: PLC0415
    from newswire_index.settings import IndexSettings  # noqa: PLC0415

    settings, _ = load_all(installed(["index"]))
    return settings, load(IndexSettings)
