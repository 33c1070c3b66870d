"""Containers with servers of tests, where a Docker engine answers."""

import gc
import io
import tarfile
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from servers.missing import ServerMissingError

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

PING_SECONDS = 5


class Box:
    """A container that is killed and started again, as Docker does it; its ports and data stay."""

    def __init__(self, container: "DockerContainer") -> None:
        self.container = container
        self.starts = 0

    def host(self) -> str:
        """Return where its ports are."""
        return self.container.get_docker_client().host().replace("localhost", "127.0.0.1")

    def start(self) -> bool:
        """Start it; say whether it did not run."""
        if not self.starts:
            self.container.start()
        else:
            engines = self._engines()
            if engines.status == "running":
                return False
            engines.start()
        self.starts += 1
        return True

    def runs(self) -> bool:
        """Say whether its process lives."""
        return bool(self.starts) and self._engines().status == "running"

    def kill(self) -> None:
        """Kill its process."""
        self._if_running("kill")

    def stop(self) -> None:
        """Stop it in order."""
        self._if_running("stop")

    def _if_running(self, action: str) -> None:
        if self.runs():
            engines = self._engines()
            getattr(engines, action)()
            engines.wait()

    def close(self) -> None:
        """Remove it with its data."""
        self.container.stop()

    def said(self) -> str:
        """Return its log, which goes on over restarts."""
        return "".join(part.decode(errors="replace") for part in self.container.get_logs())

    def put(self, folder: str, name: str, content: str) -> None:
        """Write a file in it, whether or not it runs."""
        data = content.encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            archive.addfile(member, io.BytesIO(data))
        self._engines().put_archive(folder, packed.getvalue())

    def _engines(self) -> Any:
        """Return the engine's own view of it, as it is now."""
        engines = self.container.get_wrapped_container()
        engines.reload()
        return engines


@cache
def why_no_container(image: str) -> str | None:
    """Return why no container of an image can be had, None if one can; the answer is looked for once."""
    with warnings.catch_warnings():
        # the docker package leaves a socket open when nobody answers
        warnings.simplefilter("ignore", ResourceWarning)
        reason = _ask_docker(image)
        gc.collect()
    return reason


def _ask_docker(image: str) -> str | None:
    # slow to import, and needed by nobody who has no engine or has given an address
    from docker.errors import DockerException  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415
    from testcontainers.core.docker_client import DockerClient  # noqa: PLC0415

    try:
        DockerClient(timeout=PING_SECONDS).client.ping()
    except (DockerException, RequestException, OSError):
        return "no Docker engine answers"
    client = DockerClient().client
    try:
        if not client.images.list(image):
            client.images.pull(image)
    except (DockerException, RequestException, OSError) as error:
        return f"Docker cannot pull {image} ({error})"
    return None


def container_of(image: str) -> "DockerContainer":
    """Return a container that does not run yet."""
    reason = why_no_container(image)
    if reason is not None:
        raise ServerMissingError(reason)
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    return DockerContainer(image)
