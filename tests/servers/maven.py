"""Fetches from Maven Central by mvn, which knows the user's mirrors and proxies."""

import shutil
import subprocess
from pathlib import Path

from servers.missing import ServerMissingError

DEPENDENCY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"


def run_maven(arguments: list[str], folder: Path, what: str, seconds: float) -> None:
    """Run mvn in a folder.

    Args:
        arguments: the goal and its settings.
        folder: where it runs.
        what: it fetches, for who reads why there is none.
        seconds: that it may take.
    """
    mvn = shutil.which("mvn")
    if mvn is None:
        raise ServerMissingError(f"mvn, which fetches {what}, is not on the path")
    try:
        done = subprocess.run(
            [mvn, "-B", "-q", "-ntp", *arguments], cwd=folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ServerMissingError(f"mvn did not fetch {what} in {seconds:.0f} s") from None
    if done.returncode != 0:
        said = next(iter((done.stdout + done.stderr).strip().splitlines()), "")
        raise ServerMissingError(f"mvn could not fetch {what}: {said}")
