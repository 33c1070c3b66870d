"""Kafka's hash of keys: the values of Kafka's own client."""

import pytest

from newswire.log.murmur2 import murmur2, partition_for

pytestmark = pytest.mark.unit

VALUES = {
    "": 275646681,
    "a": 2731586172,
    "ab": 316155434,
    "abc": 479470107,
    "courier.example": 3556439022,
}


@pytest.mark.parametrize(("key", "value"), VALUES.items())
def test_the_hash_is_that_of_kafkas_client(key: str, value: int) -> None:
    """For every length of the last word."""
    assert murmur2(key.encode()) == value


@pytest.mark.parametrize(("key", "value"), VALUES.items())
def test_the_partition_is_that_of_kafkas_client(key: str, value: int) -> None:
    """The sign is cut, not negated."""
    assert partition_for(key, 12) == (value % 2**31) % 12


def test_keys_outside_ascii_are_hashed_as_utf8() -> None:
    """Composed and decomposed letters are different keys."""
    assert murmur2("é".encode()) == murmur2(b"\xc3\xa9")
    assert 0 <= partition_for("é", 7) < 7
