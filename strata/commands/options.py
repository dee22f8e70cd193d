"""Options and answers that commands share."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

NOT_RUNNING = 3

data = click.option(
    "--data",
    "data_dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".strata"),
    envvar="STRATA_DATA_DIR",
    show_default=True,
    help="Data folder of the Strata that is meant.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


def why(function: F) -> F:
    """Who does it and why, for the audit trail."""
    function = click.option("--by", default=actor, show_default="your login", help="Who does it.")(function)
    return click.option("--why", default="", help="The reason, kept in the audit trail.")(function)


def actor() -> str:
    """The person at the keyboard, as the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"


def not_running(data_dir: Path) -> NoReturn:
    """Say that nothing runs there, and how to start it; exit code 3."""
    click.echo(f"strata: nothing runs on {data_dir}. Start it with `make run`.", err=True)
    sys.exit(NOT_RUNNING)
