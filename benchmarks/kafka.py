"""How fast the log on Kafka is, against bare aiokafka and our goals, and what idle services cost.

    python benchmarks/kafka.py [--only publish|loop|lone|compression|idle] [--idle-minutes 60]

The broker is found or started as for the tests. It shares the machine's cores with what is measured, and so
it does with what it is compared with.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

# The tests know how to find or start a real Kafka, and are no package: benchmarks are run as scripts.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from kafka_ground import Row
from kafka_lone import lone_rows
from kafka_loop import loop_rows
from kafka_publish import publish_rows
from rich.console import Console
from rich.table import Table
from servers.kafka import KafkaServer, find_kafka

from newswire.telemetry import configure

Part = Callable[[str], Coroutine[Any, Any, list[Row]]]
PARTS: dict[str, Part] = {"publish": publish_rows, "loop": loop_rows, "lone": lone_rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, action="append", default=[])
    chosen = parser.parse_args()
    configure("error")
    server = find_kafka()
    table = Table(title=f"Kafka, {os.cpu_count()} cores", title_justify="left")
    for name in ("what", "measured", "goal", "met"):
        table.add_column(name)
    for name in chosen.only or PARTS:
        for row in asyncio.run(PARTS[name](server.bootstrap)):
            table.add_row(row.what, row.measured, row.goal, {None: "", True: "yes", False: "NO"}[row.met])
    Console().print(table)


if __name__ == "__main__":
    main()
