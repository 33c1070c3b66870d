"""Apache Kafka as jars of Maven Central, resolved by mvn once and kept in the user's cache."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import escape

from servers.kafka_server import VERSION
from servers.missing import ServerMissingError

# Kafka's pom names no SLF4J binding: without log4j the broker would log nothing
ARTIFACTS = (
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4"),
    ("org.apache.logging.log4j", "log4j-core", "2.25.4"),
    ("org.apache.logging.log4j", "log4j-api", "2.25.4"),
)
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
SECONDS = 600.0  # for about 50 MB over a slow line
COMPLETE = ".complete"


def cache_folder() -> Path:
    """Return where the jars of this version are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "newswire-test" / "kafka" / VERSION


def kafka_jars() -> Path:
    """Return a folder that holds all jars; resolve them if it is the first time."""
    folder = cache_folder()
    if _complete(folder):
        return folder
    mvn = shutil.which("mvn")
    if mvn is None:
        raise ServerMissingError("mvn, which fetches Kafka's jars, is not on the path")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent):
        if not _complete(folder):
            _resolve(mvn, folder)
    return folder


def _complete(folder: Path) -> bool:
    return (folder / COMPLETE).exists()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one run resolve while others wait for it."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _resolve(mvn: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as name:
        work = Path(name)
        (work / "pom.xml").write_text(_pom())
        _copy_dependencies(mvn, work)
        (work / "jars" / COMPLETE).touch()
        if folder.exists():  # half of a folder, by somebody who was not careful
            folder.rename(work / "old")
        (work / "jars").rename(folder)


def _copy_dependencies(mvn: str, work: Path) -> None:
    command = [mvn, "-B", "-q", "-ntp", COPY, "-DincludeScope=runtime", f"-DoutputDirectory={work / 'jars'}"]
    try:
        done = subprocess.run(
            command,
            cwd=work,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise ServerMissingError(f"mvn did not fetch Kafka's jars in {SECONDS:.0f} s") from None
    if done.returncode != 0:
        said = next(iter((done.stdout + done.stderr).strip().splitlines()), "")
        raise ServerMissingError(f"mvn could not fetch Kafka's jars: {said}")


def _pom() -> str:
    dependencies = "".join(
        f"<dependency><groupId>{escape(group)}</groupId><artifactId>{escape(artifact)}</artifactId>"
        f"<version>{escape(version)}</version></dependency>"
        for group, artifact, version in ARTIFACTS
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>newswire</groupId><artifactId>test-kafka</artifactId><version>1</version><packaging>pom</packaging>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )
