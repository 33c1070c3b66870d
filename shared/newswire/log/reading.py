"""Reading a partition from an offset to its end, without a group."""

from collections.abc import AsyncIterator

from newswire.log.port import Log, Record

CHUNK = 1000  # records read at a time


async def records_from(log: Log, topic: str, partition: int, offset: int = 0) -> AsyncIterator[Record]:
    """Yield the records at or beyond an offset, up to the end that the partition has by then."""
    while records := await log.read(topic, partition, offset, max_records=CHUNK):
        for record in records:
            yield record
        offset = records[-1].offset + 1
