"""Pages in HTML: an answer, or the report of a check. A page needs no other file and runs no script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from implicitgrad.model.verdict import NOTHING, Outcome, Unreadable, Verdict
from implicitgrad.numbers.display.form import DEFAULT
from implicitgrad.numbers.display.style import Expression
from implicitgrad.text.characters import count, printable
from implicitgrad.writers.document import Document, document_of
from implicitgrad.writers.elements import FREE, Block, Element, Equations, Role, Section, Sentence
from implicitgrad.writers.notation import Notation
from implicitgrad.writers.reports.report import Result, failed, name_of, place_of

if TYPE_CHECKING:
    from implicitgrad.writers.options import AnySolution, WriteOptions

LEAST_FOR_PICTURE = 12
"""Unknowns or inputs from which on a page has a picture of ∂y/∂x."""
MAX_TILES = 120
"""Cells on each side of the picture."""
WARM = ("#fde0d0", "#fbb596", "#f58560", "#e5533a", "#c12a26", "#840f1c")
COOL = ("#d6e6f4", "#a6cde6", "#6aadd5", "#3787c0", "#125ea6", "#083877")
STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --soft: #59636e; --line: #d1d9e0; --panel: #f6f8fa;
  --good: #1a7f37; --bad: #cf222e; --doubt: #9a6700; --free: #8250df; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --text: #e6edf3; --soft: #9198a1; --line: #3d444d;
  --panel: #151b23; --good: #3fb950; --bad: #f85149; --doubt: #d29922; --free: #ab7df8; } }
body { font: 16px/1.5 system-ui, sans-serif; background: var(--back); color: var(--text); margin: 0 auto;
  padding: 1.5rem; max-width: 64rem; }
h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
.question { color: var(--soft); margin: .2rem 0 1rem; } .verdict { font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); } .doubt { color: var(--doubt); } .free { color: var(--free); }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem; text-align: right; white-space: nowrap; }
th { font-weight: 600; } tbody th, thead th:first-child, .word { text-align: left; }
thead th { border-bottom: 1px solid var(--line); vertical-align: bottom; white-space: normal; }
tbody + tbody tr:first-child > * { border-top: 1px solid var(--line); }
tbody tr:hover { background: var(--panel); } .report :is(th, td) { white-space: normal; vertical-align: top; }
.report th { font-weight: 400; overflow-wrap: break-word; } .report thead th { font-weight: 600; }
.report :is(thead th, .good, .bad, .doubt) { white-space: nowrap; }
.aside { font-style: italic; color: var(--soft); } .finding { margin: .3rem 0; }
.warning { border-left: .25rem solid var(--doubt); background: var(--panel); padding: .4rem .8rem; }
.equation { margin: .2rem 0 .2rem 1.5rem; } pre { background: var(--panel); padding: .6rem 1rem; overflow-x: auto; }
svg { max-width: 100%; height: auto; border: 1px solid var(--line); } footer { color: var(--soft); margin-top: 2rem; }
@media print { body { max-width: none; padding: 0; } .scroll { overflow: visible; } th, td { white-space: normal; } }
"""


def write(solution: AnySolution, options: WriteOptions) -> str:
    """Return a page, with a picture of a ∂y/∂x that is not small."""
    document = document_of(solution, Notation(options.numbers, printable, printable), options)
    title, *question = document.question()
    verdict, *findings = document.findings()
    color = "good" if document.is_good else "doubt"
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="question">{escape("  ·  ".join(question))}</p>' if question else "",
        f'<p><span class="verdict {color}">{escape(verdict)}</span> {escape(" ".join(findings))}</p>',
    ]
    for section in document.sections():
        body += _section(section)
    if isinstance(document, Document):
        body += _picture(document)
    return _page(title, body)


def _page(title: str, body: Iterable[str]) -> str:
    lines = "\n".join(line for line in body if line)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{lines}\n</body>\n</html>\n"
    )


def _section(section: Section) -> Iterator[str]:
    if section.heading:
        yield f"<h2>{escape(section.heading)}</h2>"
    conditions = [
        escape(one.text) for one in section.elements if isinstance(one, Sentence) and one.role is Role.CONDITION
    ]
    if conditions:
        yield f"<ul>{''.join(f'<li>{text}</li>' for text in conditions)}</ul>"
    for element in section.elements:
        if not (isinstance(element, Sentence) and element.role is Role.CONDITION):
            yield from _element(element)


def _element(element: Element) -> Iterator[str]:
    if isinstance(element, Sentence):
        role = {Role.FINDING: "finding", Role.ASIDE: "aside", Role.WARNING: "warning"}.get(element.role)
        yield f'<p class="{role}">{escape(element.text)}</p>' if role else f"<p>{escape(element.text)}</p>"
    elif isinstance(element, Equations):
        yield from (f'<p class="equation">{escape(str(equation))}</p>' for equation in element.lines)
    elif isinstance(element, Block):
        yield from _table(element)
    else:
        from implicitgrad.writers.screen.matrices import side_by_side

        lines = "\n".join(side_by_side(element.pieces))
        yield f"<pre>{escape(lines)}</pre>"


def _table(block: Block) -> Iterator[str]:
    heads = "".join(
        f'<th scope="col"{_word(block.is_wordy(k))}>{escape(head)}</th>' for k, head in enumerate(block.heads)
    )
    corner = escape(block.corner) if block.rows else ""
    bodies = []
    for rows in (block.rows, block.losses):
        lines = [
            f'<tr><th scope="row">{escape(row.label)}</th>'
            + "".join(_cell(cell, is_wordy=block.is_wordy(k)) for k, cell in enumerate(row.cells))
            + "</tr>"
            for row in rows
        ]
        if lines:
            bodies.append("<tbody>\n" + "\n".join(lines) + "\n</tbody>")
    yield (
        f'<div class="scroll"><table>\n<thead><tr><th>{corner}</th>{heads}</tr></thead>\n'
        + "\n".join(bodies)
        + "\n</table></div>"
    )
    yield from (f'<p class="doubt">{escape(note)}</p>' for note in block.notes())


def _cell(cell: Expression, *, is_wordy: bool) -> str:
    if cell is FREE:
        return '<td class="free word">free</td>'
    return f"<td{_word(is_wordy)}>{escape(str(cell).strip())}</td>"


def _word(is_wordy: bool) -> str:
    return ' class="word"' if is_wordy else ""


def _picture(document: Document) -> Iterator[str]:
    """Yield ∂y/∂x as a heat map; no more than MAX_TILES cells on a side, each the entry of largest magnitude."""
    height, width = len(document.y), len(document.inputs)
    if document.solution.is_gradient_alone or not width or max(height, width) < LEAST_FOR_PICTURE:
        return
    from implicitgrad.writers.screen.heat_map import UNKNOWN, find_levels, find_scale, find_tiles
    from implicitgrad.writers.screen.scaled_matrix import ScaledMatrix

    matrix = ScaledMatrix(document.shown.general.minimum_norm, width, DEFAULT)
    down, across = (-(-size // MAX_TILES) for size in (height, width))
    tiles = find_tiles(matrix.certain, down, across)
    if not ((tiles != 0) & (tiles == tiles)).any():  # nan differs from itself
        return
    scale = find_scale(tiles, matrix.unit)
    levels = find_levels(tiles, scale, matrix.unit)
    colors = {level: WARM[level - 1] for level in range(1, 7)} | {-level: COOL[level - 1] for level in range(1, 7)}
    colors[UNKNOWN] = "#888"
    rows, columns = levels.shape
    side = max(4, min(16, 720 // max(rows, columns)))
    cells = [
        f'<rect x="{j * side}" y="{i * side}" width="{side}" height="{side}" fill="{colors[level]}"/>'
        for i, row in enumerate(levels.tolist())
        for j, level in enumerate(row)
        if level
    ]
    tile = f"the largest of {down} × {across} entries" if down * across > 1 else "one entry"
    kind = "linear" if scale.is_linear else "logarithmic"
    yield "<h2>∂y/∂x as a picture</h2>"
    yield f"<p>Rows are unknowns, columns inputs; each cell is {tile}, on a {kind} scale.</p>"
    yield (
        f'<svg role="img" aria-label="heat map of ∂y/∂x" width="{columns * side}" height="{rows * side}" '
        f'viewBox="0 0 {columns * side} {rows * side}">{"".join(cells)}</svg>'
    )
    swatches = "".join(f'<td style="background:{colors[level]}">&nbsp;</td>' for level in [*range(-6, 0), *range(1, 7)])
    ends = scale.heads()
    heads = "".join(f"<td>{escape(text)}</td>" for text in [*(f"−{end}" for end in reversed(ends)), *ends])
    yield f'<div class="scroll"><table><tr>{swatches}</tr><tr>{heads}</tr></table></div>'


def write_results(results: Sequence[Result], only_failures: bool, is_on_screen: bool) -> str:
    """Return the results of check as a page: totals, then each system with its claims, or the failures alone."""
    claims = [outcome for result in results if isinstance(result, Verdict) for outcome in result.outcomes]
    wrong = [outcome for _, outcome in failed(results)]
    undecided = sum(outcome.is_undecided for outcome in wrong)
    unreadable = sum(isinstance(result, Unreadable) for result in results)
    totals = [
        f"{count(len(claims), 'claim')} about {count(len(results) - unreadable, 'system')}",
        f"{len(claims) - len(wrong)} hold",
        f"{len(wrong) - undecided} fail",
    ]
    totals += [f"{undecided} undecided"] if undecided else []
    totals += [f"{count(unreadable, 'file')} not read"] if unreadable else []
    is_good = not wrong and not unreadable
    body = [
        "<h1>Claims checked by implicitgrad</h1>",
        f'<p class="verdict {"good" if is_good else "bad"}">{escape(", ".join(totals))}</p>',
    ]
    rows = [row for result in results for row in _report_rows(result, only_failures=only_failures)]
    if rows:
        heads = "".join(f'<th scope="col" class="word">{head}</th>' for head in ("claim", "verdict", "claimed", "why"))
        body.append(
            f'<div class="scroll"><table class="report">\n<thead><tr><th>system</th>{heads}</tr></thead>\n<tbody>\n'
            + "\n".join(rows)
            + "\n</tbody></table></div>"
        )
    return _page("Claims checked by implicitgrad", body)


def _report_rows(result: Result, *, only_failures: bool) -> Iterator[str]:
    if isinstance(result, Unreadable):
        problems = "; ".join(map(str, result.problems))
        yield _report_row(result.source, "", ("bad", "not read"), "", problems)
        return
    source = result.source
    if not result.outcomes and not only_failures:
        yield _report_row(source, "", ("doubt", "open"), "", NOTHING)
    shown = ""
    for outcome in result.outcomes:
        if not (only_failures and outcome.holds):
            place = source if outcome.holds else place_of(result, outcome)
            place, shown = "" if place == shown else place, place
            why = "; ".join(outcome.explanation) or outcome.fixes_nothing
            yield _report_row(place, name_of(result, outcome), _verdict(outcome), outcome.claimed, why)


def _verdict(outcome: Outcome) -> tuple[str, str]:
    if outcome.holds:
        return "good", "holds"
    return ("doubt", "undecided") if outcome.is_undecided else ("bad", "fails")


def _report_row(source: str, claim: str, verdict: tuple[str, str], claimed: str, why: str) -> str:
    color, text = verdict
    source, claim, claimed, why = (escape(printable(part)) for part in (source, claim, claimed, why))
    return (
        f'<tr><th scope="row">{source}</th><td class="word">{claim}</td><td class="word {color}">{text}</td>'
        f'<td class="word">{claimed}</td><td class="word">{why}</td></tr>'
    )
