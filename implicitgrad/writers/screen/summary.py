"""Summarize the answer to a large system on one screen: its findings, the largest entries, a picture of ∂y/∂x."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from rich.cells import cell_len

from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.numbers.display.style import Expression
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.terminal.streams import LABEL, Screen
from implicitgrad.text.characters import count
from implicitgrad.writers.document import Document
from implicitgrad.writers.elements import Equations, Role, Section, Sentence
from implicitgrad.writers.screen.heat_map import draw, shorten
from implicitgrad.writers.screen.scaled_matrix import ScaledMatrix
from implicitgrad.writers.screen.table_layout import GAP, MARGIN, Line
from implicitgrad.writers.sections.constraints import direction

MAX_ENTRIES = 5
MAX_NAMES = 5
MAX_NAME_LENGTH = 20
MARK = " ?"
HINT = "--full prints all entries, --show NAMES some; --format json or -o has all"


def summarize(answer: Document, screen: Screen) -> Iterator[Section | list[Line]]:
    """Yield the answer on one screen below the question and the findings: sections, and lines laid out already."""
    solution, summary = answer.solution, _Summary(answer, screen)
    if sentences := summary.sentences():
        yield Section(tuple(map(Sentence, sentences)))
    yield from answer.dependence()
    if solution.independent:
        for remark in filter(None, (answer.shown.note, summary.choice())):
            yield Section((Sentence(remark, Role.ASIDE),))
        yield from _side_by_side(summary.parts(), None if screen.width is None else max(1, screen.width - len(MARGIN)))
        if not solution.is_gradient_alone:
            yield from summary.picture()
        yield Section((Sentence(HINT, Role.ASIDE),))
    yield from answer.warnings()


class _Part(NamedTuple):
    """A matrix summarized in a few lines."""

    name: str
    size: str
    lines: list[tuple[str, str]]
    """Names and numbers."""

    @property
    def width(self) -> int:
        """Return its width without the margin."""
        pairs = [(self.name, self.size), *self.lines]
        return max(cell_len(name) for name, _ in pairs) + len(GAP) + max(cell_len(number) for _, number in pairs)


class _Summary:
    """The sentences about a solution, and the matrices shown of it."""

    def __init__(self, answer: Document, screen: Screen) -> None:
        self.solution, self.answer, self.screen, self.options = answer.solution, answer, screen, answer.notation.options
        general = answer.shown.general
        self.open_rows = general.null_space.nonzero_rows()
        self.open_losses = general.dL_dx_coefficients.nonzero_rows() if general.dL_dx_coefficients is not None else []
        self.has_jacobian = not answer.solution.is_gradient_alone
        if self.has_jacobian:
            self.dy_dx = ScaledMatrix(general.minimum_norm, len(answer.inputs), self.options)

    def sentences(self) -> list[str]:
        """Return what is free, what is constrained, and how much is determined."""
        solution, answer = self.solution, self.answer
        found = []
        if answer.free:
            found.append(f"{count(len(answer.free), 'free unknown')}: {_first(answer.free)}")
        if solution.constraints is not None:
            names = solution.constraints.dependent
            dependent = _first([*map(answer.notation.label, names[: MAX_NAMES + 1])])
            found.append(f"x is constrained, with {count(len(names), 'dependent input')}: {dependent}")
            if not solution.independent:
                return [*found, direction(solution, solution.constraints, answer.notation)]
        total = len(solution.y) * len(solution.x)
        known = self._count_determined() if self.has_jacobian else total
        if known < total:
            text = f"{known} of {count(total, 'entry')} of ∂y/∂x {'is' if known == 1 else 'are'} determined"
            if solution.constraints is not None:
                is_open, columns = solution.general.null_space.nonzero_rows(), len(solution.independent)
                text += f"; along the constraint {is_open.count(False) * columns} of {len(is_open) * columns}"
            found.append(text)
        if answer.free and self.open_losses:
            found.append(_uniqueness(self.open_losses))
        if (at := solution.at_value) is not None:
            shown = [name for name, one in (("∂L/∂A", at.dL_dA), ("∂L/∂B", at.dL_dB)) if one is not None]
            found.append(f"{' and '.join(['y', *shown])} at this x {'are' if shown else 'is'} not summarised here")
        if solution.along is not None:
            found.append("J·dx is not summarised here")
        return found

    def _count_determined(self) -> int:
        """Return the number of entries of ∂y/∂x that the system determines."""
        solution, constraints = self.solution, self.solution.constraints
        moving = 0 if constraints is None else sum(constraints.matrix.transposed().nonzero_rows())
        return solution.general.null_space.nonzero_rows().count(False) * (len(solution.independent) - moving)

    def choice(self) -> str:
        """Return which numbers are chosen, not determined."""
        matrices = [("∂y/∂x", self.open_rows if self.has_jacobian else []), ("∂L/∂x", self.open_losses)]
        chosen = [name for name, is_open in matrices if is_open and all(is_open)]
        if any(_is_mixed(is_open) for _, is_open in matrices):
            chosen.append("what is marked ?")
        if not chosen:
            return ""
        return f"{' and '.join(chosen)} {'is' if len(chosen) == 1 else 'are'} one choice of many, the minimum-norm one"

    def parts(self) -> list[_Part]:
        """Return ∂y/∂x and, if a gradient was given, ∂L/∂x."""
        y, width = self.answer.y, len(self.answer.inputs)
        found = []
        if self.has_jacobian:
            size = f"{len(y)} × {width}"
            found.append(self._part("∂y/∂x", size, self.dy_dx, lambda i: f"∂{self._short(y[i])}/∂", self.open_rows))
        if (rows := _losses_shown(self.answer, self.open_losses)) is not None:
            has_one = len(rows) == 1
            size = f"{width}" if has_one else f"{len(rows)} × {width}"
            losses = ScaledMatrix(rows, width, self.options)
            found.append(
                self._part("∂L/∂x", size, losses, lambda k: "∂L/∂" if has_one else f"∂L{k + 1}/∂", self.open_losses)
            )
        return found

    def picture(self) -> Iterator[Section | list[Line]]:
        """Yield ∂y/∂x as a heat map."""
        import numpy as np

        names = (self.answer.y, self.answer.inputs)
        marked = np.array(self.open_rows if _is_mixed(self.open_rows) else [False] * len(self.open_rows))
        found = draw(self.dy_dx.certain, self.dy_dx.unit, names, marked, self.screen)
        if found is None:
            what = (
                "no entry of ∂y/∂x can be distinguished from" if self.dy_dx.values.any() else "every entry of ∂y/∂x is"
            )
            yield Section((Sentence(f"{what} 0"),))
            return
        yield Section((Sentence(found.caption),))
        yield found.lines
        yield found.legend

    def _part(
        self, name: str, size: str, entries: ScaledMatrix, row: Callable[[int], str], is_open: Sequence[bool]
    ) -> _Part:
        mark, blank = (MARK, " " * len(MARK)) if _is_mixed(is_open) else ("", "")
        norm = "Euclidean norm" if 1 in entries.values.shape else "Frobenius norm"
        lines = [(norm, entries.norm() + blank)]
        positions = entries.largest(MAX_ENTRIES)
        for (i, j), number in zip(positions, entries.show(positions), strict=True):
            lines.append((f"{row(i)}{self._short(self.answer.inputs[j])}", number + (mark if is_open[i] else blank)))
        return _Part(name, size, lines)

    def _short(self, name: str) -> str:
        return shorten(name, MAX_NAME_LENGTH, self.screen)


def _side_by_side(parts: list[_Part], room: int | None) -> Iterator[Section | list[Line]]:
    """Yield the parts side by side, below one another, or one entry per line. room : the columns beside the margin."""
    together = sum(part.width for part in parts) + len(GAP) * (len(parts) - 1)
    if room is None or together <= room:
        lines: list[Line] = []
        for row in zip_longest(*map(_lines, parts)):
            lines.append([])
            for part, cells in zip(parts, row, strict=True):
                gap = GAP if lines[-1] else ""
                lines[-1] += [(gap, ""), *(cells or [(" " * (len(MARGIN) + part.width), "")])]
        yield lines
        return
    for part in parts:
        if part.width <= room:
            yield _lines(part)
        else:
            entries = [Expression((f"{entry} =", value.strip())) for entry, value in part.lines]
            yield Section((Equations((Expression((f"{part.name}:", part.size)), *entries)),))


def _lines(part: _Part) -> list[Line]:
    lines = [
        [(MARGIN, ""), (part.name, "bold"), (part.size.rjust(part.width - cell_len(part.name)), "")],
        [(" " + "─" * (part.width + 1), "")],
    ]
    for name, number in part.lines:
        padding = " " * (part.width - cell_len(name) - cell_len(number))
        lines.append([(MARGIN, ""), (name, LABEL), (padding + number, "")])
    return lines


def _first(names: Sequence[str]) -> str:
    return ", ".join([*names[:MAX_NAMES], *(["…"] if len(names) > MAX_NAMES else [])])


def _is_mixed(is_open: Sequence[bool]) -> bool:
    return any(is_open) and not all(is_open)


def _uniqueness(is_open: Sequence[bool]) -> str:
    if not any(is_open):
        return "∂L/∂x is unique: ∂L/∂y is in the row space of A"
    if len(is_open) == 1:
        return "∂L/∂x is not unique: ∂L/∂y is not in the row space of A"
    unique = len(is_open) - sum(is_open)
    return f"∂L/∂x is unique for {unique} of {len(is_open)} losses: it is where ∂L/∂y is in the row space of A"


def _losses_shown(answer: Document, is_open: Sequence[bool]) -> BaseMatrix[Any] | None:
    """Return ∂L/∂x, a row for each loss; None without a gradient. is_open : (K,), whether it is not unique."""
    unique, gradients = answer.shown.general.dL_dx_particular, answer.system.dL_dy
    if unique is None or gradients is None or not any(is_open):
        return unique
    least = gradients.times(answer.shown.minimum_norm)
    return unique.where(is_open, least) if isinstance(unique, BallMatrix) else least  # which are equal where not open
