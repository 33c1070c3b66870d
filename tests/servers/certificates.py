"""A certificate for a server of the tests, made by the keytool that comes with Java."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from servers.missing import ServerMissingError

STORE_PASSWORD = "tester-store"  # noqa: S105 - of a key that lives as long as a test run
NAMES = "ip:127.0.0.1"  # and not localhost, so that a test has a wrong name
SECONDS = 60.0


class Certificate(NamedTuple):
    """A key store for the server, and the certificate that its clients trust (PEM)."""

    store: Path
    trusted: Path


def make_certificate(java: str, folder: Path) -> Certificate:
    """Make a key and a certificate signed by itself."""
    made = Certificate(folder / "server.p12", folder / "server.pem")
    tool = find_keytool(java)
    store = ["-alias", "server", "-keystore", str(made.store), "-storepass", STORE_PASSWORD]
    _run(
        tool, "-genkeypair", *store, "-storetype", "PKCS12", "-keyalg", "EC", "-groupname", "secp256r1",
        "-dname", "CN=server of tests", "-ext", f"san={NAMES}", "-ext", "bc=ca:true", "-validity", "30",
    )  # fmt: skip
    _run(tool, "-exportcert", "-rfc", *store, "-file", str(made.trusted))
    return made


def find_keytool(java: str) -> str:
    """Return the keytool beside a java."""
    for beside in (Path(java), Path(java).resolve()):
        if beside.with_name("keytool").exists():
            return str(beside.with_name("keytool"))
    found = shutil.which("keytool")
    if found is None:
        raise ServerMissingError(f"there is no keytool beside {java}")
    return found


def _run(tool: str, *arguments: str) -> None:
    done = subprocess.run(
        [tool, "-J-XX:TieredStopAtLevel=1", *arguments],
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"keytool {arguments[0]} failed:\n{done.stdout}{done.stderr}")
