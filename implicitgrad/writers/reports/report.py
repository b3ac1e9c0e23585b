"""Write a report on many claims: one line per claim, explanations of failures below the table, and totals.

The columns are padded here because rich.Table takes a quarter of a millisecond per row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from implicitgrad.model.verdict import NOTHING, Outcome, Unreadable, Verdict, show_short
from implicitgrad.terminal.streams import BAD, DOUBTFUL, GOOD, LABEL, Screen, stdout_screen
from implicitgrad.text.characters import IN_ASCII, count, encodable, printable
from implicitgrad.writers.screen.line_breaks import NARROWEST, break_line

GAP = "   "
INDENT = "  "
MAX_CHOICES = 3
HEADS = ("system", "claim", "verdict", "claimed")
COLORS = {"holds": GOOD, "FAILS": f"bold {BAD}", "open": DOUBTFUL, "undecided": DOUBTFUL, "ERROR": f"bold {BAD}"}

Paint = Callable[[str, str], str]
Result = Verdict | Unreadable


class ReportRow(NamedTuple):
    """A line of the table."""

    system: str
    """Empty if it is the system of the line before."""
    claim: str
    verdict: str
    claimed: str
    note: str = ""

    @property
    def styles(self) -> tuple[str, ...]:
        """Return the style of each cell."""
        return (LABEL, "", COLORS.get(self.verdict, ""), "", DOUBTFUL)


def write_results(results: Sequence[Result], only_failures: bool, is_on_screen: bool) -> str:
    """Return the table, the failures and the totals; with ``only_failures`` only the failures."""
    screen = stdout_screen() if is_on_screen else Screen()
    paint = _painter(screen)
    failures = [_failure(verdict, outcome, screen, paint) for verdict, outcome in failed(results)]
    parts = failures
    if not only_failures:
        warnings = _warnings(results, screen, paint)
        parts = [_table(results, screen, paint), *([warnings] if warnings else []), *failures, _totals(results, screen)]
    text = "\n".join("".join(f"{line}\n" for line in lines) for lines in parts)
    return text if screen.has_symbols else text.translate(IN_ASCII)


def _warnings(results: Sequence[Result], screen: Screen, paint: Paint) -> list[str]:
    """Return the warnings of possible misreadings."""
    return [
        paint(text, DOUBTFUL)
        for verdict in _verdicts(results)
        for _, message in verdict.remarks
        for text in _wrapped(f"{printable(verdict.source)}: warning: {message}", screen, "")
    ]


def failed(results: Iterable[Result]) -> list[tuple[Verdict, Outcome]]:
    """Return the claims that do not hold, in order."""
    return [(verdict, outcome) for verdict in _verdicts(results) for outcome in verdict.failures]


def _verdicts(results: Iterable[Result]) -> list[Verdict]:
    return [result for result in results if isinstance(result, Verdict)]


def place_of(verdict: Verdict, outcome: Outcome) -> str:
    """Return the claim's position if it is in the system's file, else the system's source."""
    source, place = verdict.source, outcome.place
    return f"{place.source}:{place.line}:{place.column}" if is_in_file(verdict, outcome) and place.line else source


def is_in_file(verdict: Verdict, outcome: Outcome) -> bool:
    """Return whether a claim is in the file of its system, and not in an option or another file."""
    source = verdict.source
    return outcome.place.source in (None, source, source.rpartition("#")[0])


def name_of(verdict: Verdict, outcome: Outcome) -> str:
    """Return the claim's key, and its source if that is not the system's file."""
    return outcome.key if is_in_file(verdict, outcome) else f"{outcome.key} ({outcome.place.source})"


def _totals(results: Sequence[Result], screen: Screen) -> list[str]:
    verdicts = _verdicts(results)
    claims = sum(len(verdict.outcomes) for verdict in verdicts)
    undecided = sum(outcome.is_undecided for _, outcome in failed(results))
    fails = len(failed(results)) - undecided
    holds = claims - fails - undecided
    said = f"{holds} hold{'s' if holds == 1 else ''}, {fails} fail{'s' if fails == 1 else ''}"
    said += f", {undecided} undecided" if undecided else ""
    parts = [f"{count(claims, 'claim')} about {count(len(verdicts), 'system')}: {said}"]
    silent = sum(not verdict.outcomes for verdict in verdicts)
    if silent:
        parts.append(f"{count(silent, 'system')} {NOTHING}")
    unreadable = len(results) - len(verdicts)
    if unreadable:
        parts.append(f"{count(unreadable, 'file')} not read")
    return _wrapped("; ".join(parts), screen, "")


def _painter(screen: Screen) -> Paint:
    """Return a function that styles a text if the screen has colour."""
    if not screen.has_color:
        return lambda text, style: text
    from implicitgrad.writers.screen.colors import paint

    return paint


def _table(results: Sequence[Result], screen: Screen, paint: Paint) -> list[str]:
    """Return lines in columns; on narrow screens with each system above its claims, or without columns."""
    rows = [row for result in results for row in _rows(result, screen)]
    widths = [max(map(_width, column)) for column in zip(HEADS, *(row[:4] for row in rows), strict=True)]
    rule = sum(widths) + len(GAP) * 3
    if screen.width is None or rule <= screen.width:
        heads = [_line(HEADS, widths, ("bold",) * 4, paint), "─" * rule]
        return heads + [line for row in rows for line in _with_note(row, 0, widths, screen, paint)]
    if len(INDENT) + rule - widths[0] - len(GAP) > screen.width:
        return [line for row in rows for line in _stacked(row, screen, paint)]
    lines = []
    for row in rows:
        lines += _system(row, screen, paint)
        lines += _with_note(row, 1, widths, screen, paint)
    return lines


def _with_note(row: ReportRow, first: int, widths: Sequence[int], screen: Screen, paint: Paint) -> list[str]:
    """Return a row's cells from ``first`` on, with its note beside them, or below on a narrow screen."""
    indent = INDENT if first else ""
    cells, styles, widths = row[first:], row.styles[first:], widths[first:]
    used = len(indent) + sum(widths) + len(GAP) * len(widths) + _width(row.note)
    if screen.width is None or used <= screen.width:
        return [indent + _line(cells, widths, styles, paint)]
    margin = " " * (widths[0] + len(GAP)) if not first and widths[0] < screen.width // 3 else indent + GAP
    note = [paint(text, DOUBTFUL) for text in _wrapped(row.note, screen, margin)]
    return [indent + _line(cells[:-1], widths, styles, paint), *note]


def _width(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)


def _line(cells: Sequence[str], widths: Sequence[int], styles: Sequence[str], paint: Paint) -> str:
    """Return cells padded to ``widths``, and a last one beyond them unchanged."""
    padded = [
        paint(cell, style) + " " * (width - _width(cell))
        for cell, width, style in zip(cells, (*widths, 0), styles, strict=False)
    ]
    return GAP.join(padded).rstrip()


def _stacked(row: ReportRow, screen: Screen, paint: Paint) -> list[str]:
    """Return the system on its own line, then the verdict and the claim."""
    claim, verdict = (paint(cell, style) for cell, style in zip(row[1:3], row.styles[1:], strict=False))
    room = None if screen.width is None else screen.width - len(INDENT)
    beside = f"{row.verdict} {row.claim}".rstrip()
    lines = [f"{INDENT}{verdict} {claim}".rstrip()]
    if room is not None and cell_len(beside) + len(":") > room:
        lines = [f"{INDENT}{verdict}", *_wrapped(row.claim, screen, INDENT * 2)]
    if room is None or cell_len(beside) + 2 + cell_len(row.claimed) <= room:
        lines[0] += f"{': ' if row.claim else ' '}{row.claimed}"
    else:
        lines += _wrapped(row.claimed, screen, INDENT * 2)
    if row.note:
        lines += [paint(text, DOUBTFUL) for text in _wrapped(row.note, screen, INDENT * 2)]
    return [*_system(row, screen, paint), *lines]


def _system(row: ReportRow, screen: Screen, paint: Paint) -> list[str]:
    return [paint(text, LABEL) for text in _wrapped(row.system, screen, "")] if row.system else []


def _sentence(screen: Screen, text: str) -> str:
    """Return a message, with its symbols in ASCII if the encoding lacks them."""
    return encodable(printable(text), screen.encoding)


def _wrapped(text: str, screen: Screen, indent: str) -> list[str]:
    if screen.width is None:
        return [indent + text]
    shown = text if screen.has_symbols else text.translate(IN_ASCII)
    return [indent + line for line in break_line(shown, max(screen.width, NARROWEST) - len(indent))]


def _rows(result: Result, screen: Screen) -> list[ReportRow]:
    if isinstance(result, Unreadable):
        return [ReportRow(screen.label(result.source), "", "ERROR", "not read")]
    source = screen.label(result.source)
    if not result.outcomes:
        return [ReportRow(source, "", "open", NOTHING)]
    rows = []
    for number, outcome in enumerate(result.outcomes):
        verdict = "holds" if outcome.holds else "undecided" if outcome.is_undecided else "FAILS"
        claim, claimed = screen.label(name_of(result, outcome)), _sentence(screen, outcome.claimed)
        rows.append(ReportRow("" if number else source, claim, verdict, claimed, _sentence(screen, _note(outcome))))
    return rows


def _note(outcome: Outcome) -> str:
    parts = []
    if outcome.choices:
        listed = ", ".join(map(str, outcome.choices[:MAX_CHOICES]))
        rest = len(outcome.choices) - MAX_CHOICES
        parts.append(f"chooses {listed}" + (f" and {rest} more" if rest > 0 else ""))
    if outcome.holds and outcome.worst is not None and outcome.worst.difference is not None:
        difference, allowed = abs(outcome.worst.difference), outcome.worst.tolerance
        parts.append(f"largest difference {show_short(difference)}, allowed {show_short(allowed)}")
    if outcome.fixes_nothing:
        parts.append(f"fixes nothing: {outcome.fixes_nothing}")
    return "; ".join(parts)


def _failure(verdict: Verdict, outcome: Outcome, screen: Screen, paint: Paint) -> list[str]:
    """Return the position, the claim and the explanation of a failure."""
    reason, *rest = outcome.explanation
    first = f"{place_of(verdict, outcome)}: {name_of(verdict, outcome)} {outcome.verb}: {reason}"
    lines = [paint(text, "bold") for text in _wrapped(_sentence(screen, first), screen, "")]
    return lines + [line for text in rest for line in _wrapped(_sentence(screen, text), screen, INDENT)]
