"""The command line, `strata`. Commands are loaded when they are called, so that each starts at once.

Exit codes are an interface: 0 it worked, 1 it did not (the reason is on stderr), 2 the command line was wrong,
3 Strata (or the sandbox) does not run.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, cast

import click

# command -> (module below strata.commands, its one line in the list)
COMMANDS = {
    "run": ("run", "Start Strata and its sandboxes in the foreground."),
    "stop": ("run", "Stop the Strata that runs on a data folder."),
    "reset": ("run", "Stop, then wipe the data of Strata and of the sandboxes."),
    "info": ("info", "Show where things are."),
    "sandbox": ("sandbox", "Show or run the sandboxes."),
    "demo": ("demo", "Place orders in the sandbox shop and watch them travel."),
    "items": ("items", "Show what failed or waits, in plain words."),
    "retry": ("operate", "Try a failed item again."),
    "edit": ("operate", "Replace the input of a failed item, then try it again."),
    "discard": ("operate", "Give a failed item up."),
    "pause": ("operate", "Leave a backend alone."),
    "resume": ("operate", "Go on with a paused backend."),
    "tables": ("tables", "Show and change mapping tables."),
    "clients": ("clients", "Register clients of the gateway."),
    "connections": ("connections", "List and test the connections to backends."),
    "worker": ("services", "Run a process worker (scaled-out form)."),
    "serve": ("services", "Run one service, or the gateway (scaled-out form)."),
    "migrate": ("services", "Bring the tables of the database up to date."),
    "contracts": ("contracts", "Write openapi/ from the contracts, or check that it is up to date."),
}


class Commands(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"strata.commands.{entry[0]}")
        return cast("click.Command", getattr(module, cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of ours becomes its plain words and exit code 1."""
        from strata.errors import StrataError  # noqa: PLC0415  # after `--help` has answered

        try:
            return super().invoke(ctx)
        except StrataError as error:
            click.echo(f"strata: {error.detail}", err=True)
            for one in error.errors:
                remedy = f" {one.remedy}" if one.remedy else ""
                click.echo(f"  {one.pointer or '-'}: {one.detail}{remedy}", err=True)
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="strata", prog_name="strata")
def main() -> None:
    """Strata: system, process and experience APIs behind one gateway."""


if __name__ == "__main__":
    main()
