"""Containers that die and come back, services that are scaled, code that changes."""

import json
import time

import pytest
from compose.stack import SERVICES, Stack, until

pytestmark = [pytest.mark.e2e, pytest.mark.compose, pytest.mark.timeout(3600)]

MEMBERS = (
    "/opt/kafka/bin/kafka-consumer-groups.sh --bootstrap-server localhost:9092"
    " --describe --members --group enrich"
)
REBUILD_SECONDS = 60.0  # on two busy cores; the dependencies alone take longer


def in_agreement(stack: Stack) -> bool:
    """Tell whether nothing is on its way, and as many articles can be found as were said to be indexed."""
    ledger = stack.ledger()
    _, answer = stack.elasticsearch("newswire-articles/_count")
    return not ledger["in_flight"] and ledger["outcomes"]["indexed"]["new"] == answer["count"]


def assert_whole(stack: Stack) -> None:
    """Nothing lost, nothing doubled, nothing dead, and the index holds what the topic holds."""
    until(lambda: in_agreement(stack))
    ledger = stack.ledger()

    assert ledger["lost"] == 0
    assert "dead-lettered" not in ledger["outcomes"]
    assert stack.newswire("ingest", "dead-letters", "list", "--json") == ""
    stack.newswire("index", "index", "verify")


def more_news(stack: Stack) -> None:
    """Let the newsroom serve two worlds more, and return when their articles begin to arrive."""
    worlds = int(stack.settings.get("NEWSROOM_WORLDS", "1"))
    stack.settings.update(NEWSROOM_WORLDS=str(worlds + 2), NEWSROOM_INTERVAL="10")
    demo = ("--env-file", ".env", "--env-file", "deploy/demo.env", "up", "--detach", "--no-deps")
    before = stack.ledger()["seen"]
    stack.compose(*demo, "--wait", "newsroom")
    stack.compose(*demo, "newsroom-feeds")
    until(lambda: stack.ledger()["seen"] > before)


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_that_is_killed_comes_back(stack: Stack, name: str) -> None:
    """While news arrives: by its restart policy, healthy, and with nothing lost or doubled."""
    more_news(stack)
    stack.crash(name)

    assert_whole(stack)


def test_all_are_killed_together(stack: Stack) -> None:
    """While news arrives, as when the machine loses power."""
    more_news(stack)
    stack.crash(*SERVICES)

    assert_whole(stack)


def test_more_of_a_service_share_the_work(stack: Stack) -> None:
    """`docker compose up --scale enrich=3` while news arrives; and one again afterwards."""

    def number() -> int:
        said = stack.exec("kafka", "sh", "-c", f"KAFKA_HEAP_OPTS=-Xmx64m {MEMBERS}").stdout
        return sum(line.startswith("enrich") for line in said.splitlines())

    more_news(stack)
    stack.compose("up", "--detach", "--no-recreate", "--no-deps", "--scale", "enrich=3", "enrich")
    until(lambda: len(stack.containers("enrich")) == 3 and stack.is_healthy("enrich"))
    until(lambda: number() == 3)
    stack.compose("up", "--detach", "--no-recreate", "--no-deps", "--scale", "enrich=1", "enrich")
    until(lambda: len(stack.containers("enrich")) == 1 and stack.is_healthy("enrich"))

    assert_whole(stack)


def test_a_change_of_code_is_built_in_seconds(stack: Stack) -> None:
    """Only the last layer of the image is another."""

    def layers() -> list[str]:
        (image,) = json.loads(stack.docker("image", "inspect", "newswire/enrich"))
        found: list[str] = image["RootFS"]["Layers"]
        return found

    before = layers()
    changed = stack.folder / "services/enrich/newswire_enrich/__init__.py"
    changed.write_text(changed.read_text() + f"# {time.time()}\n")
    started = time.monotonic()
    stack.compose("build", "enrich")
    seconds = time.monotonic() - started
    print(f"built anew in {seconds:.1f} s")  # noqa: T201

    assert layers()[:-1] == before[:-1]
    assert layers()[-1] != before[-1]
    assert seconds < REBUILD_SECONDS
