"""The document: the contents of a page about a Solution, in sections that each page format lays out."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Arithmetic, Status
from implicitgrad.numbers.exact import Ratio
from implicitgrad.numbers.formatting import Expression
from implicitgrad.numbers.number_form import ROUNDED
from implicitgrad.numbers.number_style import show_decimal
from implicitgrad.text.characters import count
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.number_grammar import exact_square_root, float_square_root
from implicitgrad.writers.elements import Block, Equations, Role, Row, Section, Sentence, loss_labels
from implicitgrad.writers.notation import in_one_style
from implicitgrad.writers.shown_answer import ShownAnswer

if TYPE_CHECKING:
    from implicitgrad.model.selection import Selection
    from implicitgrad.writers.pages.latex_notation import Notation

MAX_TERMS = 100_000
"""The most terms of an answer on a page, one for each free unknown that an entry depends on; seconds of work."""
CONDITION_DIGITS = 3
"""The most digits of a condition number."""
NOT_FILES = ("<inline>", "<python>")


class Document:
    """The contents of a page on a Solution, in a notation."""

    def __init__(self, solution: Solution, notation: Notation, selection: Selection | None = None) -> None:
        """Collect the names and the free unknowns. selection : what of ∂y/∂x is shown; None for everything."""
        self.solution, self.system, self.notation = solution, solution.system, notation
        self.digits = notation.options.digits
        label = self.label = notation.label
        self.shown = ShownAnswer.of(solution, selection)
        self.inputs = tuple(map(label, self.shown.x))
        self.y = tuple(map(label, self.shown.y))
        self.free = tuple(map(label, solution.general.free))
        free = set(solution.general.free)
        self.is_free = [name in free for name in self.shown.y]

    @property
    def is_good(self) -> bool:
        """Whether the answer is what a user hopes for: everything is determined."""
        return self.solution.status is Status.DETERMINED

    def question(self) -> list[str]:
        """Return the question: the file, the equation, and its size."""
        system = self.system
        file = os.path.basename(system.source)
        title = self.label(file)
        if not is_file_name(system.name, file):
            title = f"{title}: {self.label(system.name)}"
        counts = [count(system.equations, "equation"), count(system.unknowns, "unknown")]
        if system.B is not None:
            counts.append(count(system.inputs, "input"))
        parts = ["x = A·y" if system.B is None else "B·x = A·y", ", ".join(counts)]
        if system.origin is not None:
            parts[0] = "equations" if system.origin.is_linear else "F(x, y) = 0"
        if system.origin is not None or system.x_value is not None:
            from implicitgrad.writers.sections.point import describe_point

            parts[1:1] = describe_point(system, self.notation)
        return parts if system.source.startswith(NOT_FILES) else [title, *parts]

    def findings(self) -> list[str]:
        """Return the findings: the status and its reasons."""
        solution = self.solution
        found = [f"rank {solution.rank} of {self.system.unknowns}"]
        if self.free and self.solution.independent:
            found.append(f"{count(len(self.free), 'unknown')} {'is' if len(self.free) == 1 else 'are'} free")
        if solution.constraints is not None:
            found.append(f"{count(len(solution.constraints.dependent), 'constraint')} on x")
        if solution.condition_ratio is not None:
            found.append(f"condition {self._condition(solution.condition_ratio)}")
        return [f"{solution.status}:", *(f"{part}," for part in found), self._arithmetic()]

    def _condition(self, squared: Ratio) -> str:
        digits = min(CONDITION_DIGITS, self.digits)
        if self.solution.arithmetic is Arithmetic.EXACT:
            return _show_root(squared, digits)
        return ROUNDED + f"{self.solution.condition:.{digits}g}".replace("e+0", "e+")

    def _arithmetic(self) -> str:
        if self.solution.arithmetic is not Arithmetic.FLOAT:
            return str(self.solution.arithmetic)
        from implicitgrad.writers.sections.error_bounds import describe_bounds

        return describe_bounds(*self.solution.error_bounds)

    def sections(self) -> Iterator[Section]:
        """Yield what follows the question and the findings: the derivation or the answer, conditions, warnings."""
        if self.solution.derivation is not None:
            from implicitgrad.writers.sections.steps import derive

            yield from derive(self.solution, self.notation)
        else:
            if self.solution.at_value is None or self.solution.at_value.shows_x:
                yield from self._answer()
            if self.solution.second and len(self.solution.y) == 1:
                yield Section((in_one_style(self.notation, self._second),))
            elif self.solution.second:
                from implicitgrad.writers.sections.second_derivatives import show_second_derivatives

                yield from show_second_derivatives(self.solution, self.notation, self.shown)
        if self.solution.along is not None:
            from implicitgrad.writers.sections.along import show_along

            yield from show_along(self.solution, self.notation, self.shown)
        if self.solution.at_value is not None:
            from implicitgrad.writers.sections.at_value import show_at_value

            yield from show_at_value(self.solution, self.notation, self.shown)
        if self.solution.validity is not None:
            from implicitgrad.writers.sections.where_it_holds import describe_conditions

            yield from describe_conditions(self.solution, self.notation)
        yield from self.warnings()

    def selected(self) -> str:
        """Return how much of ∂y/∂x is shown, if that is not all."""
        sizes = (len(self.y), len(self.solution.y), len(self.inputs), len(self.solution.independent))
        rows, all_rows, columns, all_columns = sizes
        if (rows, columns) == (all_rows, all_columns):
            return ""
        of_rows = "" if self.solution.is_gradient_alone else f"{rows} of {count(all_rows, 'row')} and "
        return f"{of_rows}{columns} of {count(all_columns, 'column')} are shown"

    def dependence(self) -> Iterator[Section]:
        """Yield what of a singular system is dependent and what is not determined."""
        if self.free or self.solution.rank < self.system.equations:
            from implicitgrad.writers.sections.dependence import explain_dependence

            yield from explain_dependence(self.solution, self.notation)

    def warnings(self) -> list[Section]:
        """Return a section for each warning."""
        return [Section((Sentence(f"warning: {text}", Role.WARNING),)) for _, text in self.solution.warnings]

    def _answer(self) -> Iterator[Section]:
        constraints = self.solution.constraints
        if constraints is not None:
            from implicitgrad.writers.sections.constraints import show_constraints

            yield from show_constraints(self.solution, constraints, self.notation)
        yield from self.dependence()
        if not self.solution.independent:
            return
        if said := self.selected():
            yield Section((Sentence(said, Role.ASIDE),))
        yield Section((in_one_style(self.notation, self._general),))
        if constraints is not None:
            from implicitgrad.writers.sections.constraints import name_unconstrained

            yield from name_unconstrained(self.solution, constraints, self.notation)
        if self.solution.general.free and not self.solution.theorem_fails:
            yield Section((Sentence("one choice of many, the minimum-norm one", Role.ASIDE),))
            yield Section((in_one_style(self.notation, self._minimum_norm),))

    def _general(self, notation: Notation) -> Block:
        """Return ∂y/∂x and ∂L/∂x; undetermined entries are expressions in the free ones."""
        general, gradients = self.shown.general, self._gradients()
        rows: list[tuple[str | None, Sequence[Fraction], list[tuple[int, Fraction]]]] = []
        if not self.solution.is_gradient_alone:
            dependencies = general.null_space.nonzero_entries(self.is_free)
            free = [name if is_free else None for name, is_free in zip(self.shown.y, self.is_free, strict=True)]
            rows = list(zip(free, general.particular.bounded_rows(), dependencies, strict=True))
        rows += [(None, particular, V) for particular, V in gradients]
        columns = []
        for k, x in enumerate(self.shown.x):
            determined = iter(notation.column([J[k] for free, J, V in rows if free is None and not V]))
            parameters = self._parameters(x)
            columns.append(
                [
                    notation.free_entry(free, x)
                    if free is not None
                    else notation.sum(J[k], [(value, parameters[f]) for f, value in V])
                    if V
                    else next(determined)
                    for free, J, V in rows
                ]
            )
        cells = list(zip(*columns, strict=True))
        first_loss = len(rows) - len(gradients)
        notes = [self._note(notation, is_open=bool(V)) for _, V in gradients]
        return Block(self.inputs, self._rows(cells[:first_loss]), self._losses(cells[first_loss:], notes))

    def _rows(self, cells: Iterable[tuple[Expression, ...]]) -> tuple[Row, ...]:
        return tuple(Row(y, row, f"∂{y}/∂") for y, row in zip(self.y, cells, strict=False))

    def _parameters(self, x: str) -> list[str]:
        return [self.notation.derivative(y, x) for y in self.solution.general.free]

    def _minimum_norm(self, notation: Notation) -> Block:
        """Return the choice of least Frobenius norm."""
        rows = list(self.shown.general.minimum_norm.bounded_rows())
        columns = list(zip(*self.shown.minimum_norm.bounded_rows(), strict=True))
        gradients = () if self.system.dL_dy is None else self.system.dL_dy.bounded_rows()
        from implicitgrad.writers.sections.not_unique import sum_of_products

        losses = [[sum_of_products(g, column) for column in columns] for g in gradients]
        shown = [*([] if self.solution.is_gradient_alone else rows), *losses]
        cells = list(zip(*map(notation.column, zip(*shown, strict=True)), strict=True))
        first_loss = len(shown) - len(losses)
        return Block(self.inputs, self._rows(cells[:first_loss]), self._losses(cells[first_loss:], [""] * len(losses)))

    def _second(self, notation: Notation) -> Equations:
        """Return ∂²y/∂x² for every pair of the inputs that are shown."""
        names, y = self.solution.x, self.solution.y[0]
        lines = []
        rows = self.solution.second.bounded_rows() if self.solution.second else ()
        for i, k in combinations_with_replacement(self.shown.inputs if rows else (), 2):
            (number,) = notation.column([rows[i][k]])
            lines.append(number.named(notation.second_derivative(y, names[i], names[k])))
        return Equations(tuple(lines))

    def _gradients(self) -> list[tuple[Sequence[Fraction], list[tuple[int, Fraction]]]]:
        """Return the particular ∂L/∂x of each loss, and its nonzero coefficients of the free unknowns."""
        general = self.shown.general
        if general.dL_dx_particular is None or general.dL_dx_coefficients is None:
            return []
        coefficients = general.dL_dx_coefficients.nonzero_entries()
        return list(zip(general.dL_dx_particular.bounded_rows(), coefficients, strict=True))

    def _losses(self, cells: Iterable[tuple[Expression, ...]], notes: Iterable[str]) -> tuple[Row, ...]:
        rows = zip(loss_labels(self.system), cells, notes, strict=True)
        return tuple(Row(label, row, label.removesuffix("x"), note) for label, row, note in rows)

    def _note(self, notation: Notation, *, is_open: bool) -> str:
        """Return why ∂L/∂x of a loss is unique or not."""
        if is_open:
            from implicitgrad.writers.sections.not_unique import needed_for_uniqueness

            return f"not unique: ∂L/∂y is not in the row space of A; {needed_for_uniqueness(self.solution, notation)}"
        return "unique: ∂L/∂y is in the row space of A" if self.free else ""


def refuse_long(document: Document) -> None:
    """Raise InputError for an answer that is too long for a page, before it is laid out."""
    if is_long(document):
        message = f"expected an answer of at most {MAX_TERMS:,} terms on a page, got {_terms(document):,}"
        hint = "--show picks some; --format json writes all of it, and so does --output with a name ending in .npz"
        raise InputError([Problem(message, hint, "too-large", document.system.source)])


def is_long(document: Document) -> bool:
    """Return whether an answer is too long for a page."""
    return _terms(document) > MAX_TERMS


def _terms(document: Document) -> int:
    general, P = document.shown.general, len(document.inputs)
    dependencies = general.null_space.count_nonzero() - sum(document.is_free)
    terms = 0 if document.solution.is_gradient_alone else (len(document.y) + dependencies) * P
    if general.dL_dx_coefficients is not None:
        terms += len(general.dL_dx_coefficients) * P * (1 + len(general.free))
    if (at := document.solution.at_value) is not None:
        terms += sum(rows * columns for rows, columns in (one.shape for one in (*(at.dL_dA or ()), *(at.dL_dB or ()))))
    return terms


def is_file_name(name: str, title: str) -> bool:
    """Return whether a name repeats that of its file."""
    file, _, index = title.rpartition("[")
    if name.endswith(f"[{index}"):  # a system of a stack
        name, title = name.removesuffix(f"[{index}"), file
    words = name.replace("-", "_")
    file, _, document = title.rpartition("#")
    file = (file if document.isdecimal() else title).replace("-", "_")
    return words in (file, file.rpartition(".")[0])


def _show_root(squared: Ratio, digits: int) -> str:
    """Return a square root to ``digits`` significant digits."""
    root = exact_square_root(*squared)
    double = float_square_root(*squared)
    if root is None and double is None:
        return "> 1e308"
    if root is not None:
        return show_decimal(root, digits)
    return ROUNDED + show_decimal(Fraction(double or 0), digits).removeprefix(ROUNDED)
