"""The Java that runs servers of tests."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from servers.missing import ServerMissingError

OLDEST = 17


def find_java() -> str:
    """Return the java of JAVA_HOME, else of the path, if it is new enough."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    java = java or shutil.which("java")
    if java is None:
        raise ServerMissingError("java is not on the path")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=20).stderr
    if major_version(said) < OLDEST:
        raise ServerMissingError(f"{java} is older than Java {OLDEST}")
    return java


def major_version(said: str) -> int:
    """Return the version out of what `java -version` says; 0 if it says none."""
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else 0
