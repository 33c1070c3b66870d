"""Apache Kafka as jars of Maven Central, resolved by mvn once and kept in the user's cache."""

from pathlib import Path
from xml.sax.saxutils import escape

from servers.cache import cache_folder, cached
from servers.kafka_server import VERSION
from servers.maven import DEPENDENCY, run_maven

# Kafka's pom names no SLF4J binding: without log4j the broker would log nothing
ARTIFACTS = (
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4"),
    ("org.apache.logging.log4j", "log4j-core", "2.25.4"),
    ("org.apache.logging.log4j", "log4j-api", "2.25.4"),
)
SECONDS = 600.0  # for about 50 MB over a slow line


def kafka_jars() -> Path:
    """Return a folder that holds all jars; resolve them if it is the first time."""
    return cached(cache_folder() / "kafka" / VERSION, _resolve)


def _resolve(work: Path) -> Path:
    (work / "pom.xml").write_text(_pom())
    jars = work / "jars"
    copy = [f"{DEPENDENCY}:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
    run_maven(copy, work, "Kafka's jars", SECONDS)
    return jars


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
