"""The group of commands."""

from __future__ import annotations

from importlib import import_module

import click

from implicitgrad.cli.options.shared import HELP, page_option
from implicitgrad.text.version import __version__

COMMANDS = ("solve", "check", "batch", "guide")


class Commands(click.Group):
    """The commands, each imported when it is asked for: a one-liner waits for no other."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names in the order of their use."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the command from the module of its name."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"implicitgrad.cli.{name}"), name)
        return command

    def get_help(self, context: click.Context) -> str:
        """Return the program's own help page."""
        from implicitgrad.cli.help_pages import OVERVIEW

        return OVERVIEW


VERSION = page_option("-V", "--version", page=lambda context: f"implicitgrad {__version__}")


@click.group(cls=Commands, params=[HELP, VERSION], add_help_option=False, no_args_is_help=False)
def implicitgrad() -> None:
    """Exact implicit differentiation of linear and nonlinear systems."""


def run_command(arguments: list[str]) -> int:
    """Run a command and return the exit code. Raise what it raises; click's errors as UsageError."""
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    try:
        code: int = implicitgrad.main(arguments, prog_name="implicitgrad", standalone_mode=False)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        from implicitgrad.cli.suggestions import reworded

        raise reworded(error, arguments, implicitgrad) from None
    return code
