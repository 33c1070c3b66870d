"""The command line: one ``newswire``, to which every installed distribution adds its commands."""

import sys
from importlib.metadata import entry_points

import typer

GROUP = "newswire.commands"

OK = 0
FAILED = 1  # the answer is no: something was lost, not found, not readable
WRONG = 2  # the question is wrong: a setting, an option, a file

app = typer.Typer(
    name="newswire",
    help="Turns news feeds into searchable, enriched coverage. Example: newswire demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def prepare() -> None:
    """Keep log lines off standard output, which belongs to a command's answer."""
    from newswire.telemetry import configure  # noqa: PLC0415  heavy: only when a command runs

    configure()


def register_all(application: typer.Typer) -> None:
    """Let each installed distribution add its commands; what they need is imported when they run."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        point.load()(application)


def main() -> None:
    """Run the command line; an error of ours is one line and exit code 2."""
    register_all(app)
    try:
        app()
    except Exception as error:
        from newswire.errors import NewswireError  # noqa: PLC0415  only when something went wrong

        found = _ours(error, NewswireError)
        if found is None:
            raise
        sys.stderr.write(f"newswire: {found}\n")
        sys.exit(WRONG)


def _ours(error: BaseException, root: type[Exception]) -> BaseException | None:
    """Return the error of ours, also from inside a group of a task group."""
    if isinstance(error, root):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((found for each in error.exceptions if (found := _ours(each, root))), None)
    return None
