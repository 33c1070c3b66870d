"""Commands of the index service."""

import typer

from newswire_index import setup_commands
from newswire_index.kibana.commands import kibana
from newswire_index.rebuild import commands as rebuild_commands
from newswire_index.search_commands import register_search


def register(app: typer.Typer) -> None:
    """Add the commands."""
    register_search(app)
    index = typer.Typer(
        help="The index in Elasticsearch. Example: newswire index setup", no_args_is_help=True
    )
    setup_commands.register(index)
    rebuild_commands.register(index)
    app.add_typer(index, name="index")
    app.add_typer(kibana, name="kibana")
