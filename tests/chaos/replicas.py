"""Service processes that a test starts, kills, freezes and starts again."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from e2e.harness import NEWSWIRE, environment

STOP_SECONDS = 40.0  # twice what a worker may take to finish what it has in hand


class Replica:
    """One process of one service; its log lines are appended to a file named after it.

    Args:
        name: such as ``ingest-2``.
        folder: where it works.
        env: its settings.
    """

    def __init__(self, name: str, folder: Path, env: Mapping[str, str]) -> None:
        self.name = name
        self.service = name.partition("-")[0]
        self.log = folder / f"{name}.log"
        self.starts = 0
        self.unasked: list[int] = []  # exit codes of ends that nobody asked for
        self._folder = folder
        self._env = environment(**env, NEWSWIRE_INGEST_USER_AGENT=name)
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen = False

    @property
    def is_up(self) -> bool:
        """Whether the process runs, and is not frozen."""
        self._notice_end()
        return self._process is not None and not self._frozen

    @property
    def is_down(self) -> bool:
        """Whether there is no process."""
        self._notice_end()
        return self._process is None

    def _notice_end(self) -> None:
        if self._process is not None and (code := self._process.poll()) is not None:
            self.unasked.append(code)
            self._process, self._frozen = None, False

    def start(self) -> None:
        """Start the process, if it does not run."""
        if not self.is_down:
            return
        self.starts += 1
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [NEWSWIRE, "run", "--only", self.service],
                cwd=self._folder,
                env=self._env,
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the process where it stands, as a long pause of its machine would; its children go on."""
        if self.is_up:
            self._signal(signal.SIGSTOP)
            self._frozen = True

    def thaw(self) -> None:
        """Let it go on."""
        if self._frozen:
            self._signal(signal.SIGCONT)
            self._frozen = False

    def stop(self) -> int | None:
        """Ask it to stop; return its exit code, None if it does not run."""
        self.thaw()
        return self._end(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _end(self, number: int) -> int | None:
        self._notice_end()
        process, self._process, self._frozen = self._process, None, False
        if process is None:
            return None
        process.send_signal(number)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def lines(self) -> list[str]:
        """Return its log lines so far."""
        return self.log.read_text(errors="replace").splitlines() if self.log.exists() else []


@contextmanager
def replicas(folder: Path, env: Mapping[str, str], counts: Mapping[str, int]) -> Iterator[list[Replica]]:
    """So many replicas of each service, started; what still runs in the end is killed."""
    made = [
        Replica(f"{service}-{n}", folder, env)
        for service, count in counts.items()
        for n in range(1, count + 1)
    ]
    try:
        for replica in made:
            replica.start()
        yield made
    finally:
        for replica in made:
            replica.thaw()
            replica.kill()


def stop_all(made: Sequence[Replica]) -> dict[str, int | None]:
    """Ask all to stop, and return their exit codes by name."""
    return {replica.name: replica.stop() for replica in made}
