"""Free ports for servers that tests start."""

import random
import socket
from contextlib import ExitStack

# Below what Linux (from 32768) and macOS (from 49152) hand to outgoing connections. A port from there might
# be taken while its server is down, or a client that tries to reconnect might be connected to itself.
RANGE = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface on which nobody listens."""
    ports: list[int] = []
    with ExitStack() as held:
        while len(ports) < count:
            port = random.choice(RANGE)
            taken = held.enter_context(socket.socket())
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                taken.bind(("127.0.0.1", port))
            except OSError:
                continue
            ports.append(port)
    return ports


def connects(address: str) -> bool:
    """Say whether somebody accepts connections at host:port."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=1):
            return True
    except OSError:
        return False
