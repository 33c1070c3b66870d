"""How fast the log on Kafka is, against bare aiokafka and our goals, and what idle services cost.

    python benchmarks/kafka.py [--only publish|loop|lone|idle|compression ...] [--idle-minutes 60]

The broker is found or started as for the tests. It shares the machine's cores with what is measured, and so
it does with what that is compared with.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

# The tests know how to find or start a real Kafka; they are no package that a script could import unasked.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from kafka_compression import compression_table
from kafka_ground import Broker, Row
from kafka_idle import idle_rows
from kafka_lone import lone_rows
from kafka_loop import loop_rows
from kafka_publish import publish_rows
from rich.console import Console
from rich.table import Table
from servers.kafka import find_kafka

from newswire.telemetry import configure

Part = Callable[[Broker], Awaitable[list[Row]]]
COMPRESSION = "compression"


def parts(idle_minutes: float) -> dict[str, Part]:
    """Return what gives lines of the table, by name."""
    return {
        "publish": publish_rows, "loop": loop_rows, "lone": lone_rows,
        "idle": partial(idle_rows, minutes=idle_minutes),
    }  # fmt: skip


def table_of(rows: list[Row]) -> Table:
    """Return what was measured as one table."""
    table = Table(title=f"Kafka, {os.cpu_count()} cores that the broker shares", title_justify="left")
    for name in ("what", "measured", "goal", "met"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for row in rows:
        table.add_row(row.what, row.measured, row.goal, {None: "", True: "yes", False: "NO"}[row.met])
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=[*parts(1), COMPRESSION], action="append", default=[])
    parser.add_argument("--idle-minutes", type=float, default=1.0)
    chosen = parser.parse_args()
    configure("error")
    server = find_kafka()
    folder: Path | None = getattr(server, "folder", None)
    broker = Broker(server.bootstrap, getattr(server, "pid", None), folder / "data" if folder else None)
    known = parts(chosen.idle_minutes)
    wanted = chosen.only or [*known, COMPRESSION]
    try:
        rows = [row for name in wanted if name in known for row in asyncio.run(measured(known[name], broker))]
        tables = [table_of(rows)] if rows else []
        if COMPRESSION in wanted:
            tables.append(asyncio.run(compression_table(broker)))
    finally:
        if server.can_be_killed:  # ours
            server.close()
    for table in tables:
        Console().print(table)


async def measured(part: Part, broker: Broker) -> list[Row]:
    """Return the lines of one part."""
    return await part(broker)


if __name__ == "__main__":
    main()
