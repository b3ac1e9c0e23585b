"""What became of many claims, for people: a line a claim, failures explained under the table, totals last.

The columns are padded here, not by rich.Table, which takes a quarter of a millisecond a row.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from implicitgrad.characters import IN_ASCII, count
from implicitgrad.verdict import Outcome, Unreadable, Verdict
from implicitgrad.writers.screen import Screen

GAP = "   "
MOST_CHOICES = 3
HEADS = ("system", "claim", "verdict", "claimed")
NOTHING = "solved, nothing claimed"
COLORS = {"holds": "green", "FAILS": "bold red", "open": "yellow", "ERROR": "bold red"}

Paint = Callable[[str, str], str]
Result = Verdict | Unreadable


class Row(NamedTuple):
    """A line of the table."""

    system: str
    claim: str
    verdict: str
    claimed: str
    note: str = ""


def write_report(
    results: Sequence[Result], screen: Screen, *, is_strict: bool = False, only_failures: bool = False
) -> str:
    """The table, the failures and the totals; with ``only_failures`` the failures alone."""
    paint = _painter(screen)
    parts = []
    if not only_failures:
        parts.append(_table(results, screen, paint, is_strict))
    parts += [_failure(verdict, outcome, screen, paint) for verdict, outcome in failed(results, is_strict)]
    if not only_failures:
        parts.append(totals(results, is_strict) + "\n")
    text = "\n".join(part for part in parts if part)
    return text if screen.has_symbols else text.translate(IN_ASCII)


def failed(results: Sequence[Result], is_strict: bool) -> list[tuple[Verdict, Outcome | None]]:
    """What fails, in order; None for a system that had to claim something and does not."""
    found: list[tuple[Verdict, Outcome | None]] = []
    for result in results:
        if isinstance(result, Unreadable):
            continue
        if is_strict and not result.outcomes:
            found.append((result, None))
        found += [(result, outcome) for outcome in result.outcomes if is_failure(outcome, is_strict)]
    return found


def is_failure(outcome: Outcome, is_strict: bool) -> bool:
    """A claim that fails, or, where something is to be fixed, one that fixes nothing."""
    return not outcome.holds or (is_strict and bool(outcome.fixes_nothing))


def totals(results: Sequence[Result], is_strict: bool) -> str:
    """The last line."""
    verdicts = [result for result in results if isinstance(result, Verdict)]
    claims = sum(len(verdict.outcomes) for verdict in verdicts)
    failures = failed(results, is_strict)
    fails = sum(outcome is not None for _, outcome in failures)
    parts = [f"{count(claims, 'claim')} about {count(len(verdicts), 'system')}: {claims - fails} hold, {fails} fail"]
    silent = sum(not verdict.outcomes for verdict in verdicts)
    if silent:
        refused = ", which --strict refuses" if is_strict else ""
        parts.append(f"{count(silent, 'system')} solved with nothing claimed{refused}")
    unreadable = len(results) - len(verdicts)
    if unreadable:
        parts.append(f"{count(unreadable, 'file')} not read")
    return "; ".join(parts)


def _painter(screen: Screen) -> Paint:
    """Gives a text a style, where the screen has colour."""
    if not screen.has_color:
        return lambda text, style: text
    from rich.color import ColorSystem
    from rich.style import Style

    def paint(text: str, style: str) -> str:
        return Style.parse(style).render(text, color_system=ColorSystem.STANDARD) if style else text

    return paint


def _table(results: Sequence[Result], screen: Screen, paint: Paint, is_strict: bool) -> str:
    rows = [row for result in results for row in _rows(result, screen, is_strict)]
    widths = [max(map(cell_len, column)) for column in zip(HEADS, *(row[:4] for row in rows), strict=True)]
    lines = [_line(HEADS, widths, ("bold",) * 4, paint), "─" * (sum(widths) + len(GAP) * 3)]
    room = None if screen.width is None else screen.width - sum(widths) - len(GAP) * 4
    for row in rows:
        styles = ("cyan", "", COLORS.get(row.verdict, ""), "", "yellow")
        if room is None or cell_len(row.note) <= room:
            lines.append(_line(row, widths, styles, paint))
        else:
            lines.append(_line(row[:4], widths, styles, paint))
            lines += [paint(text, "yellow") for text in _wrapped(row.note, screen, GAP)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int], styles: Sequence[str], paint: Paint) -> str:
    """Cells padded to ``widths``, a last one beyond them as it is."""
    padded = [
        paint(cell, style) + " " * (width - cell_len(cell))
        for cell, width, style in zip(cells, (*widths, 0), styles, strict=False)
    ]
    return GAP.join(padded).rstrip()


def _wrapped(text: str, screen: Screen, indent: str) -> list[str]:
    if screen.width is None:
        return [indent + text]
    width = max(screen.width, 24)
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _rows(result: Result, screen: Screen, is_strict: bool) -> list[Row]:
    if isinstance(result, Unreadable):
        return [Row(screen.label(result.source), "", "ERROR", "not read")]
    source = screen.label(result.solution.system.source)
    if not result.outcomes:
        return [Row(source, "", "FAILS" if is_strict else "open", NOTHING)]
    rows = []
    for number, outcome in enumerate(result.outcomes):
        verdict = "FAILS" if is_failure(outcome, is_strict) else "holds"
        name = source if number == 0 else ""
        rows.append(Row(name, _key(outcome), verdict, screen.label(outcome.claimed), screen.sentence(_note(outcome))))
    return rows


def _key(outcome: Outcome) -> str:
    """The claim's key, and the option or file that it came from if that is not the system's own."""
    place = outcome.place
    return outcome.key if place.line is not None or place.source is None else f"{outcome.key} ({place.source})"


def _note(outcome: Outcome) -> str:
    parts = []
    if outcome.choices:
        listed = ", ".join(map(str, outcome.choices[:MOST_CHOICES]))
        rest = len(outcome.choices) - MOST_CHOICES
        parts.append(f"chooses {listed}" + (f" and {rest} more" if rest > 0 else ""))
    if outcome.fixes_nothing:
        parts.append(f"fixes nothing: {outcome.fixes_nothing}")
    return "; ".join(parts)


def _failure(verdict: Verdict, outcome: Outcome | None, screen: Screen, paint: Paint) -> str:
    """Where, what, and why."""
    source = verdict.solution.system.source
    if outcome is None:
        lines = [f"{source}: nothing is claimed"]
    else:
        place = outcome.place
        where = source if place.line is None else f"{place.source}:{place.line}:{place.column}"
        reason, *rest = outcome.explanation
        lines = [f"{where}: {_key(outcome)} fails: {reason}", *rest]
    first, *others = map(screen.sentence, lines)
    texts = _wrapped(first, screen, "")
    texts[0] = paint(texts[0], "bold")
    return "\n".join([*texts, *(line for text in others for line in _wrapped(text, screen, "  "))]) + "\n"
