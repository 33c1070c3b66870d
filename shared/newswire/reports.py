"""Tables for people on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from newswire.events import OutcomeKind
from newswire.ledger import Balance
from newswire.tracing import Step


def outcome_table(outcomes: dict[str, dict[str, int]], title: str = "Outcomes") -> Table:
    """Return a table of outcomes by kind and reason."""
    table = Table(title=title, title_justify="left")
    table.add_column("ended")
    table.add_column("because")
    table.add_column("entries", justify="right")
    for kind, reasons in outcomes.items():
        for reason, count in reasons.items():
            table.add_row(kind, reason, str(count))
    return table


def print_balance(balance: Balance, console: Console | None = None) -> None:
    """Print what the ledger says: sums, outcomes, feeds, what is lost."""
    console = console or Console()
    console.print(outcome_table(balance.outcomes))
    feeds = Table(title="Feeds", title_justify="left")
    kinds = [
        str(kind)
        for kind in OutcomeKind
        if any(str(kind) in each.outcomes for each in balance.by_feed.values())
    ]
    for column in ("feed", "seen", *kinds):
        feeds.add_column(column, justify="left" if column == "feed" else "right", overflow="fold")
    for feed, each in sorted(balance.by_feed.items()):
        feeds.add_row(escape(feed), str(each.seen), *(_cell(each.outcomes.get(kind, {})) for kind in kinds))
    console.print(feeds)
    ended = sum(count for reasons in balance.outcomes.values() for count in reasons.values())
    console.print(
        f"{balance.seen} entries seen: {ended} ended, {balance.in_flight} in flight, {len(balance.lost)} lost"
    )
    for entry in balance.lost:
        console.print(f"lost: {entry}  (newswire trace {entry})")


def _cell(reasons: dict[str, int]) -> str:
    return "\n".join(f"{reason} {count}" for reason, count in reasons.items()) or "–"


def print_steps(what: str, steps: Sequence[Step], console: Console | None = None) -> None:
    """Print an article's path, oldest step first."""
    console = console or Console()
    if not steps:
        console.print(f"nothing is known of {escape(what)}", soft_wrap=True)
        return
    for step in steps:
        line = f"{step.at:%Y-%m-%d %H:%M:%S}  [bold]{step.topic}[/]  {escape(step.summary)}"
        console.print(line, highlight=False, soft_wrap=True)
