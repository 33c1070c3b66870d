"""Prints the articles that an editor's topic was given, one a line: id, version, title, topics.

Plain aiokafka and Newswire's JSON Schema; nothing here knows Newswire's Python.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import CommitFailedError
from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).parents[3] / "shared" / "schemas" / "newswire.enriched.v1.json"
WAIT_MS = 1000


class Printer:
    """Handles articles: anything may come twice, and only the newest version of an article counts."""

    def __init__(self, wanted: str, schema: dict[str, Any]) -> None:
        self._wanted = wanted
        self._validator = Draft202012Validator(schema)
        self._newest: dict[str, int] = {}  # a real program keeps the version where it keeps the article

    def handle(self, record: ConsumerRecord) -> None:
        """Print a new version of an article, or that it is withdrawn."""
        article_id = record.key.decode()
        if record.value is None:
            version = int(dict(record.headers)["version"])
            if self._is_new(article_id, version):
                print(article_id, version, "withdrawn", sep="\t", flush=True)
            return
        article = json.loads(record.value)
        wrong = [error.message for error in self._validator.iter_errors(article)]
        if wrong:  # stopping would stop at the same message for ever
            print(f"{article_id} is not as the schema says: {wrong[0]}", file=sys.stderr)
            return
        topics = [topic["id"] for topic in article.get("topics", [])]
        if self._is_new(article_id, article["version"]) and self._wanted in topics:
            print(article_id, article["version"], article["title"], ",".join(topics), sep="\t", flush=True)

    def _is_new(self, article_id: str, version: int) -> bool:
        if version <= self._newest.get(article_id, 0):
            return False
        self._newest[article_id] = version
        return True


async def consume(options: argparse.Namespace) -> None:
    """Read until cancelled; offsets are committed after the articles were handled."""
    printer = Printer(options.topic, json.loads(options.schema.read_bytes()))
    consumer = AIOKafkaConsumer(
        f"{options.prefix}newswire.enriched.v1",
        bootstrap_servers=options.bootstrap,
        group_id=options.group,
        isolation_level="read_committed",  # the default would show what was never committed
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    async with consumer:
        while True:
            for records in (await consumer.getmany(timeout_ms=WAIT_MS)).values():
                for record in records:
                    printer.handle(record)
            with contextlib.suppress(CommitFailedError):  # partitions moved: their new owner reads again
                await consumer.commit()


async def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options and consume until told to stop."""
    env = os.environ.get
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", default=env("KAFKA_BOOTSTRAP", "localhost:9092"), help="a broker")
    parser.add_argument("--group", default=env("KAFKA_GROUP", "my-app"), help="one group shares the work")
    parser.add_argument("--prefix", default=env("NEWSWIRE_PREFIX", ""), help="what the installation set")
    parser.add_argument("--topic", default="nato-bid", help="an editor's topic")
    parser.add_argument("--schema", type=Path, default=SCHEMA, help="newswire.enriched.v1.json")
    consuming = asyncio.ensure_future(consume(parser.parse_args(arguments)))
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, consuming.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await consuming


if __name__ == "__main__":
    asyncio.run(main())
