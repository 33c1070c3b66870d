"""Signs of life: items in child processes are counted for the partition whose batch they belong to."""

import asyncio

import pytest

from newswire.signs import Signs, contained, working_for

pytestmark = pytest.mark.unit


async def hand_out(into: list[int], signs: Signs) -> None:
    """Have a child process take an item."""
    with contained():
        into.append(signs.contained)
        await asyncio.sleep(0)


async def test_items_are_counted_for_the_partition_they_are_handed_out_for() -> None:
    """Also from tasks that its batch has started; no other partition is concerned."""
    ours, others = Signs(), Signs()
    seen: list[int] = []
    with working_for(ours):
        await asyncio.gather(hand_out(seen, ours), hand_out(seen, ours))

    assert seen == [1, 2]
    assert (ours.contained, others.contained) == (0, 0)


async def test_an_item_that_ends_is_a_sign_of_life() -> None:
    """A batch of slow items moves, though nothing is committed yet."""
    signs = Signs(seen_at=0.0)
    with working_for(signs), contained():
        assert signs.seen_at == 0.0

    assert signs.seen_at > 0.0


def test_an_item_that_fails_is_over_too() -> None:
    """Otherwise the partition would never again be called stuck."""
    signs = Signs()
    with pytest.raises(ValueError, match="broken"), working_for(signs), contained():
        raise ValueError("broken")

    assert signs.contained == 0


def test_outside_of_a_batch_nothing_is_counted() -> None:
    """Feeds and pages are parsed beside the batches."""
    signs = Signs()
    with working_for(signs):
        pass
    with contained():
        assert signs.contained == 0
