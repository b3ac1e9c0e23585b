"""implicitgrad guide: the manual, a page a topic."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

import click

from implicitgrad.cli.options.shared import Verb
from implicitgrad.terminal.streams import stdout_screen, write_stdout
from implicitgrad.text.characters import encodable, quoted
from implicitgrad.text.errors import UsageError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

CONTENTS = "index"
"""The page that is shown without a topic."""
SUFFIX = ".md"
MAX_WIDTH = 100
"""Columns of a page on a terminal: longer lines are hard to read."""
LINK = re.compile(r"\[([^]]+)\]\(([a-z]+)\.md(?:#[^)]*)?\)")
"""A link from one page to another."""
STYLES = {
    "markdown.code": "bold",
    "markdown.h2": "bold underline",
    "markdown.h3": "bold",
    "markdown.table.border": "dim",
    "markdown.table.header": "bold",
    "markdown.link_url": "underline",
}
"""Styles that can be read on a light and on a dark terminal."""


@click.command(cls=Verb, groups={}, short_help="Read the manual.")
@click.argument("topic", required=False)
def guide(topic: str | None) -> int:
    """Show a page of the manual; without TOPIC, the list of pages.

    A terminal shows it in a pager (PAGER is obeyed); a pipe or a file gets its Markdown.
    """
    name, text = _page(topic or CONTENTS)
    if sys.stdout is None or not sys.stdout.isatty():
        write_stdout(text)
        return 0
    os.environ.setdefault("LESS", "-FRX")  # a page that fits the screen is printed, and colours are kept
    links = r"\1" if name == CONTENTS else r"\1 (`implicitgrad guide \2`)"
    click.echo_via_pager(_rendered(LINK.sub(links, text)), color=True)
    return 0


def _page(topic: str) -> tuple[str, str]:
    """Return the name of a page and its Markdown. Raise UsageError if there is none."""
    from importlib.resources import files

    pages: dict[str, Traversable] = {
        page.name.removesuffix(SUFFIX): page
        for page in (files("implicitgrad") / "guide").iterdir()
        if page.name.endswith(SUFFIX)
    }
    asked = topic.lower().removesuffix(SUFFIX)
    if asked in pages:
        return asked, pages[asked].read_text("utf-8")
    from difflib import get_close_matches

    topics = sorted(set(pages) - {CONTENTS})
    hint = f"The topics are {', '.join(topics)}"
    if nearest := get_close_matches(asked, topics, n=1):
        hint = f"Did you mean implicitgrad guide {nearest[0]}?"
    elif found := _with_heading(asked, {one: pages[one].read_text("utf-8") for one in topics}):
        hint = f"Did you mean implicitgrad guide {found[0]}, {quoted(found[1])}?"
    raise UsageError(f"the guide has no page {quoted(topic)}", hint)


def _with_heading(word: str, pages: dict[str, str]) -> tuple[str, str] | None:
    """Return the first page that has a heading with a word in it, and the heading."""
    for topic, text in pages.items():
        for heading in re.findall(r"^##? (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M):
            if word in heading.lower():
                return topic, heading
    return None


def _rendered(text: str) -> str:
    """Return a page laid out for the terminal."""
    from io import StringIO

    from rich.console import Console
    from rich.markdown import Markdown
    from rich.syntax import ANSISyntaxTheme
    from rich.theme import Theme

    screen = stdout_screen()
    console = Console(
        file=StringIO(),
        width=min(screen.width or MAX_WIDTH, MAX_WIDTH),
        force_terminal=True,
        color_system="standard" if screen.has_color else None,
        legacy_windows=False,
        theme=Theme(STYLES),
    )
    uncoloured: Any = ANSISyntaxTheme({})  # Markdown hands it on to Syntax, which takes it
    with console.capture() as capture:
        console.print(Markdown(text, code_theme=uncoloured, hyperlinks=False))
    return encodable(capture.get(), screen.encoding)
