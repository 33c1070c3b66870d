"""A home of Elasticsearch with our plugin in it, which keeps lifecycle policies: the stock one here has none.

Built from the sources beside this module by the JDK that runs the server, and kept by their content.
"""

import hashlib
import os
import shutil
import subprocess
from functools import partial
from pathlib import Path

from servers.cache import cache_folder, cached
from servers.elasticsearch_files import elasticsearch_files
from servers.elasticsearch_server import VERSION

SOURCES = Path(__file__).with_name("elasticsearch_plugin")
DESCRIPTOR = "plugin-descriptor.properties"
PLUGIN = "newswire-lifecycle"
OLDEST_JAVA = 21  # of this Elasticsearch
SECONDS = 120.0


def elasticsearch_home(jdk: Path) -> Path:
    """Return the folder; build it if it is the first time with this plugin."""
    content = hashlib.sha256(VERSION.encode())
    for path in sorted(SOURCES.iterdir()):
        content.update(path.name.encode() + b"\0" + path.read_bytes())
    name = f"elasticsearch-{VERSION}-with-{content.hexdigest()[:12]}"
    # the files first: two makers at once would wait for each other
    make = partial(_build, jdk, elasticsearch_files())
    return cached(cache_folder() / "elasticsearch" / name, make)


def _build(jdk: Path, files: Path, work: Path) -> Path:
    home = work / "home"
    # links cost no room, and unlike symbolic ones they stay inside the home that Elasticsearch may read
    shutil.copytree(files, home, ignore=_plugins_of(files), copy_function=os.link)
    plugin = home / "plugins" / PLUGIN
    plugin.mkdir(parents=True)
    compile_plugin(jdk, files, work / "classes", plugin)
    return home


def _plugins_of(files: Path) -> "partial[set[str]]":
    def ignored(folder: str, names: list[str]) -> set[str]:
        return {"plugins", ".complete"} & set(names) if Path(folder) == files else set()

    return partial(ignored)


def compile_plugin(jdk: Path, files: Path, classes: Path, plugin: Path) -> None:
    """Compile the plugin's sources, and put its jar and its descriptor into a folder."""
    libraries = f"{files}/lib/*:{files}/modules/x-pack-core/*"
    sources = [str(path) for path in sorted(SOURCES.glob("*.java"))]
    _run(
        jdk, "javac", "-Xlint:all,-classfile,-path,-processing", "-Werror", "-proc:none",
        "--release", str(OLDEST_JAVA), "-cp", libraries, "-d", str(classes), *sources,
    )  # fmt: skip
    _run(jdk, "jar", "--create", "--file", str(plugin / f"{PLUGIN}.jar"), "-C", str(classes), ".")
    said = (
        (SOURCES / DESCRIPTOR).read_text().replace("@VERSION@", VERSION).replace("@JAVA@", str(OLDEST_JAVA))
    )
    (plugin / DESCRIPTOR).write_text(said)


def _run(jdk: Path, tool: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(jdk / "bin" / tool), *arguments], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    if done.returncode != 0:
        raise RuntimeError(f"{tool} failed:\n{done.stdout}{done.stderr}")
