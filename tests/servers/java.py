"""The Java that runs servers of tests."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from servers.missing import ServerMissingError

OLDEST = 17
INSTALLED = Path("/usr/lib/jvm")  # where packages of Linux put them
HOMES = ("ES_JAVA_HOME", "JAVA_HOME")
PARTS = ("java", "javac", "jar", "jlink")  # a JRE has only the first


def find_java() -> str:
    """Return the java of JAVA_HOME, else of the path, if it is new enough."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    java = java or shutil.which("java")
    if java is None:
        raise ServerMissingError("java is not on the path")
    if version_of(java) < OLDEST:
        raise ServerMissingError(f"{java} is older than Java {OLDEST}")
    return java


def find_jdk(oldest: int) -> Path:
    """Return the home of a whole JDK that is new enough.

    That of ES_JAVA_HOME or JAVA_HOME, else of the path, else one that is installed though `java` is another.
    """
    for home in _homes():
        if (
            all((home / "bin" / part).exists() for part in PARTS)
            and version_of(home / "bin" / "java") >= oldest
        ):
            return home
    raise ServerMissingError(f"there is no JDK of Java {oldest} or newer")


def _homes() -> Iterator[Path]:
    yield from (Path(os.environ[name]) for name in HOMES if os.environ.get(name))
    java = shutil.which("java")
    if java is not None:
        yield Path(java).resolve().parents[1]
    yield from sorted(INSTALLED.glob("*"))


def version_of(java: str | Path) -> int:
    """Return the version of a java; 0 if it does not say."""
    done = subprocess.run([str(java), "-version"], capture_output=True, text=True, check=False, timeout=20)
    return major_version(done.stderr)


def major_version(said: str) -> int:
    """Return the version out of what `java -version` says; 0 if it says none."""
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else 0
