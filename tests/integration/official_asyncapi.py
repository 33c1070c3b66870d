"""The official JSON Schema of AsyncAPI 3.0.0, from AsyncAPI's own npm package: nothing of it is kept here.

Fetched once by npm, kept in the user's cache, and believed only if it is byte for byte what we looked at.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from servers.missing import ServerMissingError

PACKAGE, VERSION = "@asyncapi/specs", "6.11.1"
MEMBER = "package/schemas/3.0.0.json"
SHA256 = "d4571a420e6ffb7fcc7066c95a6db1202f299a3c51daa103d0706bf30f95e626"
FETCH_SECONDS = 120.0


def official_schema() -> dict[str, Any]:
    """Return the schema; raises ServerMissingError where it is not in the cache and npm cannot fetch it."""
    path = _cache() / f"asyncapi-3.0.0-of-{VERSION}.json"
    value = path.read_bytes() if path.exists() else _fetched(path)
    found = hashlib.sha256(value).hexdigest()
    if found != SHA256:
        raise ValueError(f"{path} is not the schema of {PACKAGE} {VERSION}: its SHA-256 is {found}")
    schema: dict[str, Any] = json.loads(value)
    return schema


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "newswire-test"


def _fetched(path: Path) -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        raise ServerMissingError("npm is not on the path")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", "--prefer-offline", "--pack-destination", folder]
        done = subprocess.run(
            [*command, f"{PACKAGE}@{VERSION}"], cwd=folder, capture_output=True, text=True, check=False,
            timeout=FETCH_SECONDS,
        )  # fmt: skip
        packed = next(Path(folder).glob("*.tgz"), None)
        if packed is None:
            raise ServerMissingError(f"npm could not fetch {PACKAGE} {VERSION}: {done.stderr.strip()[:300]}")
        with tarfile.open(packed) as archive:
            member = archive.extractfile(MEMBER)
            assert member is not None
            value = member.read()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")  # whole or not at all, whoever else fetches
    beside.write_bytes(value)
    beside.rename(path)
    return value
