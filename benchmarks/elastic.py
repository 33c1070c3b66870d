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


async def measured(part: Part, servers: Servers) -> list[Row]:
    """Return the lines of one part."""
    return await part(servers)


def table_of(name: str, rows: list[Row]) -> Table:
    """Return what a part measured as a table."""
    title = f"Elasticsearch, {name}; {os.cpu_count()} cores that it and Kafka share"
    table = Table(title=title, title_justify="left")
    for column in ("what", "measured", "goal", "met"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        table.add_row(row.what, row.measured, row.goal, {None: "", True: "yes", False: "NO"}[row.met])
    return table


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
            for name in chosen.only or PARTS:
                Console().print(table_of(name, asyncio.run(measured(PARTS[name], servers))))
        finally:
            if elasticsearch.can_be_killed:  # ours
                elasticsearch.close()
    finally:
        if kafka.can_be_killed:
            kafka.close()


if __name__ == "__main__":
    main()
