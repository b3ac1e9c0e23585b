"""Draw a matrix as a heat map: half blocks in colours that diverge from black, or plain characters, with a scale.

A cell shows the entry of largest magnitude, with its sign, in a tile of the matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size

from implicitgrad.numbers.display.style import show_decimal
from implicitgrad.terminal.streams import USUAL_WIDTH, Screen
from implicitgrad.writers.screen.scaled_matrix import decimal_exponent

if TYPE_CHECKING:
    from implicitgrad.numbers.ball import Array
    from implicitgrad.writers.screen.table_layout import Line

MARGIN = "  "
GAP = "  "
MAX_LINES = 18
"""With axis and legend these make 24, a usual screen."""
MIN_UNITS = 8
"""The least side of a long and thin matrix; a unit is one column wide, half a line high."""
MAX_NAME_LENGTH = 12

POSITIVE, NEGATIVE = ".:+*#@", ",;-=%&"
"""Pairs of characters with about the same ink."""
REDS, BLUES = (52, 88, 124, 196, 208, 222), (17, 18, 20, 27, 39, 159)
BLACK, GREY = 16, 244
"""The indices of zero and of unknown entries in the terminal's 256 colours."""
LEVELS = 6
UNKNOWN = LEVELS + 1
"""The level of an unknown entry."""
NICE = [Fraction(step, 10) for step in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)]


class Axis(NamedTuple):
    """A side of the matrix: the names at its ends, the entries in a tile, the cells of a tile."""

    first: str
    last: str
    entries: int
    tile: int
    repeat: int

    @property
    def cells(self) -> int:
        """Return the number of cells."""
        return -(-self.entries // self.tile) * self.repeat


class Picture(NamedTuple):
    """The parts of a picture."""

    caption: str
    lines: list[Line]
    legend: list[Line]


class Scale(NamedTuple):
    """The least magnitude of each level, in ascending order."""

    thresholds: tuple[Fraction, ...]
    is_linear: bool

    def heads(self) -> list[str]:
        """Return the texts of the thresholds."""
        return [_head(threshold) for threshold in self.thresholds]


def draw(
    values: Array, unit: Fraction, names: tuple[Sequence[str], Sequence[str]], marked: Array, screen: Screen
) -> Picture | None:
    """Return the picture of ``values·unit``; None if all are 0.

    values : (rows, columns), NaN if unknown. names : those of the rows and of the columns. marked : (rows,), whether a
    row is marked by a question mark.
    """
    import numpy as np

    width = screen.width or USUAL_WIDTH
    longest = max(cell_len(shorten(name, width // 4, screen)) for name in (names[0][0], names[0][-1]))
    gutter = min(longest, MAX_NAME_LENGTH)
    room = max(width - len(MARGIN) - gutter - len(" ││ ?"), 1)
    down, across = _axes(names, room, gutter, screen)
    tiles = find_tiles(values, down.tile, across.tile)
    if not np.any(np.nan_to_num(tiles)):
        return None
    scale = find_scale(tiles, unit)
    levels = find_levels(tiles, scale, unit)
    levels = np.repeat(np.repeat(levels, down.repeat, axis=0), across.repeat, axis=1)
    marks = np.repeat(np.logical_or.reduceat(marked, range(0, len(marked), down.tile)), down.repeat)
    lines = _lines(levels, marks, down, across, gutter, screen)
    return Picture(_caption(down, across, scale), lines, _legend(levels, scale, screen))


def _cells_per_line(screen: Screen) -> int:
    """Return 2 if the screen has half blocks and colours for them, else 1."""
    return 2 if screen.has_color and screen.has_symbols else 1


def _axes(names: tuple[Sequence[str], Sequence[str]], room: int, gutter: int, screen: Screen) -> tuple[Axis, Axis]:
    """Choose tiles that look square, unless a long matrix would then be too thin to see."""
    rows, columns = map(len, names)
    units = 2 // _cells_per_line(screen)
    size = max(-(-rows // (2 * MAX_LINES)), -(-columns // room))
    down = Axis(
        shorten(names[0][0], gutter, screen),
        shorten(names[0][-1], gutter, screen),
        rows,
        *_tile(rows, units * size, MIN_UNITS // units),
    )
    first, last = names[1][0], names[1][-1]
    if cell_len(first + last) >= room:
        first, last = (shorten(name, (room - len(_dots(screen))) // 2, screen) for name in (first, last))
    return down, Axis(first, last, columns, *_tile(columns, size, min(MIN_UNITS, room)))


def _tile(count: int, size: int, fewest: int) -> tuple[int, int]:
    """Return the entries of a tile and the number of its cells."""
    if -(-count // size) >= fewest:
        return size, 1
    return -(-count // fewest), max(1, fewest // count)


def find_tiles(values: Array, rows: int, columns: int) -> Array:
    """Return the entry of largest magnitude in each tile; NaN if none is known."""
    import numpy as np

    bands = [values[start : start + rows] for start in range(0, len(values), rows)]
    starts = range(0, values.shape[1], columns)
    highest = np.fmax.reduceat([np.fmax.reduce(band, axis=0) for band in bands], starts, axis=1)
    lowest = np.fmin.reduceat([np.fmin.reduce(band, axis=0) for band in bands], starts, axis=1)
    return np.where(highest < -lowest, lowest, highest)


def _caption(down: Axis, across: Axis, scale: Scale) -> str:
    tile = f"the largest of {down.tile} × {across.tile} entries" if down.tile * across.tile > 1 else "one entry"
    return f"∂y/∂x, each cell {tile}, on a {'linear' if scale.is_linear else 'logarithmic'} scale"


def _lines(levels: Array, marks: Array, down: Axis, across: Axis, gutter: int, screen: Screen) -> list[Line]:
    bar = "│" if screen.has_symbols else "|"
    space = across.cells - cell_len(across.first) - cell_len(across.last)
    ends = [across.first] if across.entries == 1 else [across.first, across.last]
    lines = [[(f"{MARGIN}{' ' * gutter}  {(' ' * space if space > 0 else _dots(screen)).join(ends)}", "")]]
    step, rows = _cells_per_line(screen), levels.tolist()
    for start in range(0, len(rows), step):
        is_last = start + step >= len(rows)
        name = down.first if start == 0 else down.last if is_last and down.entries > 1 else ""
        cells = _cells(rows[start : start + step], screen)
        end = f"{bar} ?" if marks[start : start + step].any() else bar
        lines.append([(f"{MARGIN}{' ' * (gutter - cell_len(name))}{name} {bar}", ""), *cells, (end, "")])
    return lines


def _cells(rows: list[list[int]], screen: Screen) -> Iterator[tuple[str, str]]:
    """Yield the cells of a line, equal ones together."""
    for levels, equal in groupby(zip(*rows, strict=True)):
        text, style = _cell(levels, screen)
        yield text * len(list(equal)), style


def _cell(levels: tuple[int, ...], screen: Screen) -> tuple[str, str]:
    """Return the character for cells above one another, and its style."""
    if not screen.has_color:
        return _character(levels[0]), ""
    colors = [f"color({_color(level)})" for level in levels]
    if not screen.has_symbols:
        return " ", f"on {colors[0]}"
    return "▀", colors[0] if len(colors) == 1 else f"{colors[0]} on {colors[1]}"


def _character(level: int) -> str:
    if level == UNKNOWN:
        return "?"
    return " " if not level else POSITIVE[level - 1] if level > 0 else NEGATIVE[-level - 1]


def _color(level: int) -> int:
    if level == UNKNOWN:
        return GREY
    return BLACK if not level else REDS[level - 1] if level > 0 else BLUES[-level - 1]


def _legend(levels: Array, scale: Scale, screen: Screen) -> list[Line]:
    """Return the levels, in as many groups side by side as the width requires."""
    heads = scale.heads()
    signs = {
        name: sign
        for name, sign in (("positive", 1), ("negative", -1))
        if ((levels * sign > 0) & (levels != UNKNOWN)).any()
    }
    width = max(map(len, heads)) + len(GAP)
    room = (screen.width or USUAL_WIDTH) - len(MARGIN) - len("at least")
    size = max(1, room // width)
    lines: list[Line] = []
    for start in range(0, LEVELS, size):
        group = range(start, min(start + size, LEVELS))
        lines.append([(MARGIN + "at least" + "".join(heads[k].rjust(width) for k in group), "")])
        for name, sign in signs.items():
            line = [(MARGIN + name, "")]
            for k in group:
                text, style = _swatch(sign * (k + 1), screen)
                line += [(" " * (width - len(text)), ""), (text, style)]
            lines.append(line)
    if (levels == UNKNOWN).any():
        lines.append([(f"{MARGIN}unknown {GAP}", ""), _swatch(UNKNOWN, screen)])
    return lines


def _swatch(level: int, screen: Screen) -> tuple[str, str]:
    return ("  ", f"on color({_color(level)})") if screen.has_color else (_character(level), "")


def shorten(name: str, room: int, screen: Screen) -> str:
    """Return a name, abbreviated if there is no room for it."""
    if cell_len(name) <= max(room, 1):
        return name
    dots = _dots(screen).strip()
    return set_cell_size(name, max(room - len(dots), 1)).rstrip() + dots


def _dots(screen: Screen) -> str:
    return " … " if screen.has_symbols else " .. "


def find_scale(tiles: Array, unit: Fraction) -> Scale:
    """Choose round numbers in equal steps, or in equal ratios if half of the tiles would be below the first step."""
    import numpy as np

    sizes = np.abs(tiles[np.isfinite(tiles) & (tiles != 0)])
    low, middle, high = (Fraction(float(size)) * unit for size in np.quantile(sizes, (0.1, 0.5, 1)))
    if middle * LEVELS >= high:
        exponent = decimal_exponent(high / LEVELS)
        step = max(nice for nice in NICE if nice * Fraction(10) ** exponent <= high / LEVELS) * Fraction(10) ** exponent
        return Scale(tuple(step * k for k in range(1, LEVELS + 1)), True)
    exponent = decimal_exponent(high)
    top = 2 * exponent + (Fraction(10) ** exponent * 3 <= high)
    for halves in (1, 2, 4):
        lowest = _half_decade(top - halves * (LEVELS - 1))
        if lowest <= low:
            break
    if halves > 1:
        top -= top % 2
    return Scale(tuple(_half_decade(top - halves * k) for k in reversed(range(LEVELS))), False)


def _half_decade(number: int) -> Fraction:
    """Return …, 1, 3, 10, 30, …"""
    return Fraction(10) ** (number // 2) * (3 if number % 2 else 1)


def find_levels(tiles: Array, scale: Scale, unit: Fraction) -> Array:
    """Return the number of thresholds that each tile reaches, negative for negative tiles."""
    import numpy as np

    thresholds = [float(threshold / unit) for threshold in scale.thresholds]
    levels = np.searchsorted(thresholds, np.abs(tiles), side="right")
    return np.where(np.isnan(tiles), UNKNOWN, np.where(tiles < 0, -levels, levels))


def _head(threshold: Fraction) -> str:
    """Write a round number, in scientific notation if it would be long."""
    exponent = decimal_exponent(threshold)
    if -3 <= exponent <= 3:
        return show_decimal(threshold, LEVELS)
    return f"{show_decimal(threshold / Fraction(10) ** exponent, LEVELS)}e{exponent:+d}"
