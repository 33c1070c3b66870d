"""Certificates of the tests' own servers are made by the keytool that lies beside Java."""

from pathlib import Path

import pytest
from servers.certificates import find_keytool, make_certificate
from servers.missing import ServerMissingError

pytestmark = pytest.mark.unit


def program(path: Path, text: str = "#!/bin/sh\nexit 1\n") -> Path:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_the_keytool_beside_java_is_taken(tmp_path: Path) -> None:
    """Not another one on the path, which may be older."""
    java, keytool = program(tmp_path / "bin" / "java"), program(tmp_path / "bin" / "keytool")

    assert find_keytool(str(java)) == str(keytool)


def test_a_java_that_is_a_link_leads_to_its_keytool(tmp_path: Path) -> None:
    """As systems with several Javas have it."""
    keytool = program(tmp_path / "jvm" / "bin" / "keytool")
    link = tmp_path / "usr" / "java"
    link.parent.mkdir()
    link.symlink_to(program(tmp_path / "jvm" / "bin" / "java"))

    assert find_keytool(str(link)) == str(keytool)


def test_a_java_without_keytool_is_no_way_to_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told as a missing server is."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerMissingError, match="no keytool beside"):
        find_keytool(str(program(tmp_path / "bin" / "java")))


def test_what_keytool_says_is_told_when_it_fails(tmp_path: Path) -> None:
    """With the step that failed."""
    java = program(tmp_path / "bin" / "java")
    program(tmp_path / "bin" / "keytool", "#!/bin/sh\necho no entropy\nexit 1\n")
    with pytest.raises(RuntimeError, match=r"-genkeypair failed:\nno entropy"):
        make_certificate(str(java), tmp_path)
