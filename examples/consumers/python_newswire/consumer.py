"""Prints the articles that an editor's topic was given, one a line: id, version, title, topics.

With ``newswire.subscribe``: typed events, filters, offsets committed when the next article is asked for.
The address and prefix of the log are read from NEWSWIRE_LOG and NEWSWIRE_PREFIX.
"""

import argparse
import asyncio
import signal
from collections.abc import Sequence

import newswire


async def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options and consume until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--group", default="my-app", help="one group shares the work")
    parser.add_argument("--topic", default="nato-bid", help="an editor's topic")
    options = parser.parse_args(arguments)
    articles = newswire.subscribe("newswire.enriched.v1", group=options.group, topics=[options.topic])
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, articles.stop)
    newest: dict[str, int] = {}  # a real program keeps the version where it keeps the article
    async for article in articles:
        version = article.version or 0
        if version <= newest.get(article.article_id, 0):
            continue  # anything may come twice
        newest[article.article_id] = version
        if isinstance(article, newswire.Withdrawn):
            print(article.article_id, version, "withdrawn", sep="\t", flush=True)
        else:
            topics = ",".join(topic.id for topic in article.topics)
            print(article.article_id, version, article.title, topics, sep="\t", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
