"""``newswire kibana setup`` against a Kibana that demands what the real one demands."""

import json
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from aiohttp import web
from kibana.fake import FakeKibana, serving
from servers.missing import ServerMissingError, do_without
from typer.testing import CliRunner, Result

from newswire_index.commands import register
from newswire_index.kibana.objects import objects

pytestmark = pytest.mark.integration

ALL = [f"{each['type']}/{each['id']}" for each in objects()]
DEFAULT = "newswire-view-articles"


@pytest.fixture
def kibana(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKibana]:
    """A Kibana that the command finds."""
    with serving(FakeKibana()) as found:
        monkeypatch.setenv("NEWSWIRE_KIBANA_URL", found.url)
        monkeypatch.setenv("NEWSWIRE_KIBANA_WAIT_SECONDS", "5")
        yield found


def setup(*options: str) -> Result:
    """Run the command."""
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, ["kibana", "setup", *options])


def brought(*options: str) -> dict[str, object]:
    """Run the command and return what it did."""
    done = setup("--json", *options)
    assert (done.exit_code, done.stderr) == (0, "")
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_everything_is_imported_and_a_default_data_view_set(kibana: FakeKibana) -> None:
    """An empty Kibana has all of it afterwards, and opens with our articles."""
    found = brought()

    assert [f"{kind}/{id_}" for kind, id_ in kibana.objects[""]] == ALL
    assert (found["made"], found["replaced"], found["version"]) == (ALL, [], "9.0.0")
    assert found["default_view"] == kibana.default[""] == DEFAULT


def test_a_second_run_replaces_and_says_so(kibana: FakeKibana) -> None:
    """It may be repeated, and undoes what was changed meanwhile."""
    brought()
    kibana.objects[""]["dashboard", "newswire-dashboard-coverage"]["attributes"]["title"] = "Mine"
    found = brought()

    assert (found["made"], found["replaced"], found["default_view"]) == ([], ALL, None)
    assert list(kibana.objects[""].values()) == objects()


def test_a_default_data_view_that_somebody_chose_stays(kibana: FakeKibana) -> None:
    """Their Kibana may serve more than news."""
    kibana.default[""] = "logs"

    assert brought()["default_view"] is None
    assert kibana.default[""] == "logs"


def test_objects_of_others_stay(kibana: FakeKibana) -> None:
    """Only ours are replaced."""
    theirs = {"type": "dashboard", "id": "theirs"}
    kibana.objects[""] = {("dashboard", "theirs"): theirs}
    brought()

    assert kibana.objects[""]["dashboard", "theirs"] is theirs


def test_it_goes_to_the_space_that_is_set(kibana: FakeKibana, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nowhere else, the default data view too."""
    monkeypatch.setenv("NEWSWIRE_KIBANA_SPACE", "desk")

    assert brought()["space"] == "desk"
    assert kibana.objects.keys() == {"desk"}
    assert kibana.default == {"desk": DEFAULT}


def test_two_prefixes_live_in_one_kibana(kibana: FakeKibana, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids and indices of the second are its own."""
    brought()
    monkeypatch.setenv("NEWSWIRE_PREFIX", "staging-")
    found = brought()
    view = kibana.objects[""]["index-pattern", "staging-newswire-view-articles"]

    assert len(kibana.objects[""]) == 2 * len(ALL)
    assert (found["replaced"], found["default_view"]) == ([], None)
    assert view["attributes"]["title"] == "staging-newswire-articles"


def test_it_waits_for_a_kibana_that_is_starting(kibana: FakeKibana) -> None:
    """As it does when everything is brought up together."""
    kibana.starting = 3

    assert brought()["made"] == ALL


def test_it_gives_up_on_a_kibana_that_does_not_come_up(
    kibana: FakeKibana, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, and with the code that means: again later."""
    kibana.starting = 1000
    monkeypatch.setenv("NEWSWIRE_KIBANA_WAIT_SECONDS", "0.5")
    done = setup()

    assert done.exit_code == 1
    assert done.stderr == f"newswire kibana setup: Kibana at {kibana.url} is not ready: 503\n"


def test_nobody_at_the_address_is_said_in_a_line(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    """With the address that was tried."""
    monkeypatch.setenv("NEWSWIRE_KIBANA_URL", f"http://127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("NEWSWIRE_KIBANA_WAIT_SECONDS", "0")
    done = setup()

    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert f"Kibana at http://127.0.0.1:{unused_tcp_port} does not answer" in done.stderr


@pytest.mark.parametrize("known", [True, False])
def test_it_logs_in(
    kibana: FakeKibana, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, known: bool
) -> None:
    """With the password in a file; a wrong one is said at once, without it."""
    kibana.login = ("setup", "right, wïth signs")
    secret = tmp_path / "password"
    secret.write_text("right, wïth signs\n" if known else "wrong\n", encoding="utf-8")
    monkeypatch.setenv("NEWSWIRE_KIBANA_USERNAME", "setup")
    monkeypatch.setenv("NEWSWIRE_KIBANA_PASSWORD_FILE", str(secret))
    done = setup()

    assert done.exit_code == (0 if known else 2)
    assert "wrong" not in done.output
    if known:
        assert len(kibana.objects[""]) == len(ALL)
    else:
        assert f"Kibana at {kibana.url} refuses the log-in: 401 [security_exception]" in done.stderr


def test_a_user_who_may_not_write_is_told(kibana: FakeKibana) -> None:
    """403 is no outage: nothing is tried again."""
    kibana.forbidden = True
    done = setup()

    assert done.exit_code == 2
    assert done.stderr == (
        f"newswire kibana setup: Kibana at {kibana.url} does not let this user:"
        " 403 Unable to bulk_create dashboard\n"
    )


@pytest.mark.parametrize("version", ["8.19.3", "7.17.0"])
def test_a_kibana_that_is_too_old_is_refused(kibana: FakeKibana, version: str) -> None:
    """Nothing is imported that it would only half understand."""
    kibana.version = version
    done = setup()

    assert (done.exit_code, kibana.objects) == (2, {})
    assert f"Kibana {version} at {kibana.url} is older than 9.0" in done.stderr


def test_a_kibana_that_keeps_its_version_to_itself_is_taken(kibana: FakeKibana) -> None:
    """It tells nobody who has not logged in."""
    kibana.version = None

    assert brought()["version"] is None
    assert "of unknown version" in setup().stdout


def test_objects_that_are_not_taken_are_listed(kibana: FakeKibana) -> None:
    """Each by name, with Kibana's reason."""
    kibana.refused = {
        "newswire-map-places": {"type": "unknown", "message": "no such type", "statusCode": 422},
        "newswire-search-latest": {
            "type": "missing_references", "references": [{"type": "index-pattern", "id": "gone"}],
        },
    }  # fmt: skip
    done = setup()

    assert done.exit_code == 2
    assert "map/newswire-map-places: no such type" in done.stderr
    assert "search/newswire-search-latest: missing_references (index-pattern/gone)" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (web.Response(status=502, text="<html>Bad Gateway</html>"), 1, "cannot do it now: 502"),
        (
            web.Response(status=404, text='{"message": "Not Found"}'),
            2,
            "/api/saved_objects/_import: 404 Not Found",
        ),
        (web.Response(status=413, text='{"message": "Payload too large"}'), 2, "413 Payload too large"),
        (web.Response(text="<html>Welcome</html>"), 2, "what answers is no Kibana"),
        (
            web.Response(status=302, headers={"Location": "/login"}),
            2,
            "leads to /login: set NEWSWIRE_KIBANA_URL",
        ),
    ],
)
def test_other_answers_are_said_in_a_line(
    kibana: FakeKibana, answer: web.Response, code: int, said: str
) -> None:
    """A proxy in between, a space that is not there, a web server that is none."""
    kibana.broken = answer
    done = setup()

    assert (done.exit_code, done.stderr.count("\n")) == (code, 1)
    assert said in done.stderr


def test_a_dry_run_asks_nobody(monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> None:
    """It prints what would be imported, for the prefix that is set."""
    monkeypatch.setenv("NEWSWIRE_KIBANA_URL", f"http://127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("NEWSWIRE_PREFIX", "eu.")
    done = setup("--dry-run")

    assert done.exit_code == 0
    assert [json.loads(line) for line in done.stdout.splitlines()] == objects("eu.")


def test_a_password_in_the_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be in every log line; the line that says so does not show it."""
    monkeypatch.setenv("NEWSWIRE_KIBANA_URL", "http://setup:hidden@127.0.0.1:1")
    done = setup()

    assert done.exit_code == 2
    assert "NEWSWIRE_KIBANA_USERNAME" in done.stderr
    assert "hidden" not in done.output


def test_people_read_what_happened(kibana: FakeKibana, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line an object, and where it went."""
    monkeypatch.setenv("NEWSWIRE_KIBANA_SPACE", "desk")
    first, second = setup().stdout.splitlines(), setup().stdout.splitlines()

    assert first[:-2] == [f"new\t{each}" for each in ALL]
    assert second[:-2] == [f"replaced\t{each}" for each in ALL]
    assert (first[-2], second[-2]) == (f"default data view\t{DEFAULT}", "default data view\tleft as it was")
    assert first[-1] == f"{len(ALL)} objects in Kibana 9.0.0 at {kibana.url}, space desk"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1, with its key in the same file."""
    if shutil.which("openssl") is None:
        do_without("a certificate", ServerMissingError("there is no openssl"))
    made = tmp_path / "kibana.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", "/CN=kibana of tests", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(made), "-out", str(tmp_path / "ca.pem")],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    with made.open("a") as both:
        both.write((tmp_path / "ca.pem").read_text())
    return made


def test_https_is_spoken_where_the_certificate_is_trusted(
    monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    """By a file of its own; without it the line says what is wrong, and nothing is sent."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with serving(FakeKibana(), context) as kibana:
        monkeypatch.setenv("NEWSWIRE_KIBANA_URL", kibana.url)
        without = setup()
        monkeypatch.setenv("NEWSWIRE_KIBANA_CA_FILE", str(certificate.with_name("ca.pem")))
        with_it = setup()

    assert (without.exit_code, with_it.exit_code) == (2, 0)
    assert f"the certificate of Kibana at {kibana.url} is not trusted" in without.stderr


def test_a_certificate_file_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before anything is asked."""
    (tmp_path / "ca.pem").write_text("none")
    monkeypatch.setenv("NEWSWIRE_KIBANA_CA_FILE", str(tmp_path / "ca.pem"))
    done = setup()

    assert done.exit_code == 2
    assert f"NEWSWIRE_KIBANA_CA_FILE {tmp_path}/ca.pem cannot be used" in done.stderr
