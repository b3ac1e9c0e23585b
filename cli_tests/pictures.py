"""The README's picture of a terminal, as SVG, for light and for dark pages.

python cli_tests/pictures.py
"""

import re
import shlex
from html import unescape
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from command import call
from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, DIMMED_MONOKAI, TerminalTheme
from rich.text import Text

FOLDER = Path(__file__).parent.parent / "implicitgrad" / "guide"
COMMANDS = ["implicitgrad solve -A '3 5' -g '7 11'", "implicitgrad check -A '1 2; 3 4' -g '1 2' --dldx '0 0.5'"]
WIDTH = 80
THEMES: dict[str, TerminalTheme] = {"light": DEFAULT_TERMINAL_THEME, "dark": DIMMED_MONOKAI}
WEB_FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def screen(folder: Path) -> Text:
    """Return what a terminal shows: the commands and what they print."""
    shown = Text()
    for command in COMMANDS:
        result = call(folder, *shlex.split(command)[1:], COLUMNS=str(WIDTH), FORCE_COLOR="1")
        shown += Text.assemble("$ ", (command, "bold"), "\n", Text.from_ansi(result.stdout), "\n\n")
    shown.rstrip()
    return shown


def draw(shown: Text, theme: TerminalTheme) -> str:
    console = Console(width=WIDTH, record=True, file=StringIO(), force_terminal=True)
    console.print(shown)
    svg = console.export_svg(title="implicitgrad", theme=theme, unique_id="implicitgrad")
    return WEB_FONT.sub("", svg)  # fonts are the reader's own


def text_in(svg: str) -> str:
    """Return the lines of a picture; rich leaves out blanks between texts of different colours."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in re.findall(r'<text class="[\w-]+" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg):
        rows.setdefault(float(y), []).append((float(x), unescape(text).replace("\xa0", " ")))
    return "\n".join("".join(text for _, text in sorted(row)).rstrip() for _, row in sorted(rows.items()))


def main() -> None:
    with TemporaryDirectory() as folder:
        shown = screen(Path(folder))
    for name, theme in THEMES.items():
        (FOLDER / f"screen-{name}.svg").write_text(draw(shown, theme), "utf-8")


if __name__ == "__main__":
    main()
