"""Kafka's hash of keys, so that both adapters put a key into the same partition."""

import struct

SEED = 0x9747B28C  # as Kafka's Java client seeds it (org.apache.kafka.common.utils.Utils.murmur2)
M = 0x5BD1E995  # multiplier of MurmurHash2, Austin Appleby, public domain
MASK = 0xFFFFFFFF
WORD = 4  # bytes


def murmur2(data: bytes) -> int:
    """Return the 32-bit MurmurHash2 of the bytes, as Kafka's clients compute it."""
    length = len(data)
    h = SEED ^ length
    whole = length - length % WORD
    for word in struct.unpack_from(f"<{length // WORD}I", data):
        k = word * M & MASK
        h = ((h * M) ^ ((k ^ (k >> 24)) * M)) & MASK
    if whole < length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * M & MASK
    h = (h ^ (h >> 13)) * M & MASK
    return h ^ (h >> 15)


def partition_for(key: str, partitions: int) -> int:
    """Return the partition of a key, as Kafka's default partitioner does."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
