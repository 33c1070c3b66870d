"""The Kafka that tests start is a real one: it keeps its data, checks passwords and leaves nothing behind."""

import pytest
from servers.kafka import KafkaServer

pytestmark = pytest.mark.integration


async def test_it(own_kafka: KafkaServer, kafka: KafkaServer) -> None:
    """Is."""
    print(own_kafka.bootstrap, kafka.bootstrap)
