"""The settings of an Elasticsearch for tests: one node, loopback, small, and no word to the outside."""

import base64
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

HEAP = "512m"
ITERATIONS = 1000  # the password lives as long as a test run

ONE_NODE = {
    "cluster.name": "newswire-test",
    "node.name": "newswire-test",
    "discovery.type": "single-node",
    # a machine of tests may be as full as it likes
    "cluster.routing.allocation.disk.threshold_enabled": "false",
    # tests make many small indices
    "cluster.max_shards_per_node": "3000",
}
# The service of inference would ask Elastic's cloud what it may do.
ALONE = {
    "xpack.inference.elastic.authorization.enabled": "false",
    "xpack.inference.elastic.url": "http://127.0.0.1:1",
}

JVM_OPTIONS = """\
-XX:+UseSerialGC
-XX:-UsePerfData
-XX:TieredStopAtLevel=1
-Djava.io.tmpdir=${ES_TMPDIR}
--add-modules=jdk.incubator.vector
-Dorg.apache.lucene.store.defaultReadAdvice=normal
-Dorg.apache.lucene.store.MMapDirectory.sharedArenaMaxPermits=1
-XX:+ExitOnOutOfMemoryError
"""

LOG4J = """\
status = error
appender.stdout.type = Console
appender.stdout.name = stdout
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d %p %c{1}: %m%n
rootLogger.level = info
rootLogger.appenderRef.stdout.ref = stdout
"""


def yml(*parts: Mapping[str, str]) -> str:
    """Return an elasticsearch.yml; what comes later wins."""
    lines: dict[str, str] = {}
    for part in parts:
        lines.update(part)
    return "".join(f"{name}: {value}\n" for name, value in lines.items())


def write_users(folder: Path, username: str, password: str) -> None:
    """Write the files of a realm that knows one user, who may do everything."""
    salt = os.urandom(32)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    code = "$".join((str(ITERATIONS), *(base64.b64encode(part).decode() for part in (salt, key))))
    (folder / "users").write_text(f"{username}:{{PBKDF2}}{code}\n")
    (folder / "users_roles").write_text(f"superuser:{username}\n")
