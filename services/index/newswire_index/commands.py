"""Commands of the index service."""

import typer

from newswire_index.kibana_commands import kibana
from newswire_index.search_commands import register_search


def register(app: typer.Typer) -> None:
    """Add the commands."""
    register_search(app)
    app.add_typer(kibana, name="kibana")
