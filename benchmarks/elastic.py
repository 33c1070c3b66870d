"""How fast articles get into Elasticsearch, against its bare bulk helper, and how soon they are found.

    python benchmarks/elastic.py [--only bulk|searchable]

Both servers are found or started as for the tests. They share the machine's cores with what is measured, and
so they do with what that is compared with.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

# The tests know how to find or start real servers; they are no package that a script could import unasked.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from elastic_bulk_rates import bulk_rows
from elastic_ground import Servers
from elastic_searchable import searchable_rows
from kafka_ground import Row
from rich.console import Console
from rich.table import Table
from servers.elasticsearch import find_elasticsearch
from servers.kafka import find_kafka

from newswire.telemetry import configure

Part = Callable[[Servers], Awaitable[list[Row]]]
PARTS: dict[str, Part] = {"bulk": bulk_rows, "searchable": searchable_rows}


def table_of(rows: list[Row]) -> Table:
    """Return what was measured as one table."""
    title = f"Elasticsearch, {os.cpu_count()} cores that it and Kafka share"
    table = Table(title=title, title_justify="left")
    for name in ("what", "measured", "goal", "met"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for row in rows:
        table.add_row(row.what, row.measured, row.goal, {None: "", True: "yes", False: "NO"}[row.met])
    return table


async def measured(names: list[str], servers: Servers) -> list[Row]:
    """Return the lines of these parts."""
    return [row for name in names for row in await PARTS[name](servers)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=PARTS, action="append", default=[])
    chosen = parser.parse_args()
    configure("error")
    kafka = find_kafka()
    try:
        elasticsearch = find_elasticsearch()
        try:
            servers = Servers(kafka.bootstrap, elasticsearch)
            rows = asyncio.run(measured(chosen.only or list(PARTS), servers))
        finally:
            if elasticsearch.can_be_killed:  # ours
                elasticsearch.close()
    finally:
        if kafka.can_be_killed:
            kafka.close()
    Console().print(table_of(rows))


if __name__ == "__main__":
    main()
