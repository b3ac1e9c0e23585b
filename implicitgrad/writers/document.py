"""The document: the contents of a page about a Solution, in sections that each page format lays out."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from math import inf, ulp
from typing import TYPE_CHECKING

from implicitgrad.model.implicit_equations import ImplicitEquations, PointAccuracy
from implicitgrad.model.solution import AtValue, General, Solution, SpecialCase, Status
from implicitgrad.model.system import Arithmetic
from implicitgrad.numbers.doubles import Ball
from implicitgrad.numbers.exact import Ratio
from implicitgrad.numbers.formatting import (
    LARGEST_DOUBLE,
    ROUNDED,
    Expression,
    linear,
    show_decimals,
    show_number,
)
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.text.characters import count
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.number_grammar import exact_square_root, float_square_root
from implicitgrad.writers.elements import OPEN, Block, Element, Equations, Role, Row, Section, Sentence

if TYPE_CHECKING:
    from implicitgrad.symbolic.element import Symbolic
    from implicitgrad.writers.latex_notation import Notation

MAX_CONDITIONS = 3
MAX_VALUES = 8
"""The most values of x above an answer."""
MAX_TERMS = 100_000
"""The most terms of an answer on a page, one for each free unknown that an entry depends on; seconds of work."""
CONDITION_DIGITS = 3
"""The most digits of a condition number."""
NOT_FILES = ("<inline>", "<python>")
LENIENT = 1 + 2.0**-40
"""A factor that exceeds the rounding error of a sum of bounds."""


class Document:
    """The contents of a page on a Solution, in a notation."""

    def __init__(self, solution: Solution, notation: Notation, digits: int) -> None:
        """Collect the names and the free unknowns. digits : the most significant digits of a decimal."""
        self.solution, self.system, self.notation, self.digits = solution, solution.system, notation, digits
        label = self.label = notation.label
        self.inputs = tuple(map(label, solution.independent))
        self.y = tuple(map(label, solution.system.y))
        self.free = tuple(map(label, solution.general.free))
        free = set(solution.general.free)
        self.is_free = [name in free for name in solution.system.y]

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
        if system.x_value is not None and system.origin is None:
            values = [f"{self.label(name)} = {self.notation.number(*value)}" for name, value in self._values_of_x()]
            more = ", …" if system.inputs > MAX_VALUES else ""
            parts[1:1] = [f"at {', '.join(values)}{more}"]
        if system.origin is not None:
            parts[0] = "equations" if system.origin.is_linear else "F(x, y) = 0"
            parts[1:1] = self._point(system.origin)
        return parts if system.source.startswith(NOT_FILES) else [title, *parts]

    def _point(self, origin: ImplicitEquations) -> list[str]:
        """Return the point of the equations, and which of its values were computed."""
        if not origin.point:
            return []
        values = [
            f"{self.label(name)} {self._near(value) if origin.is_computed(name) else f'= {value}'}"
            for name, value in origin.point
        ]
        found = [f"{', '.join(map(self.label, origin.found))} found by Newton's method"] if origin.found else []
        if found and origin.accuracy is not PointAccuracy.EXACT:
            found[-1] += ", and proved"
        return [f"at {', '.join(values)}", *found]

    def _values_of_x(self) -> Iterator[tuple[str, tuple[Fraction, ...]]]:
        """Yield the first inputs with their values."""
        assert self.system.x_value is not None
        return islice(zip(self.system.x, self.system.x_value.transposed().bounded_rows(), strict=True), MAX_VALUES)

    def _near(self, value: str) -> str:
        return f"{ROUNDED} {show_decimals([Fraction(value)], self.digits)[0].removeprefix(ROUNDED)}"

    def findings(self) -> list[str]:
        """Return the findings: the status and its reasons."""
        solution = self.solution
        found = [f"rank {solution.rank} of {self.system.unknowns}"]
        if self.free and self.inputs:
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
        jacobian, gradient = self.solution.error_bounds
        if jacobian is None or gradient is None:
            return "float, not certified"
        if not (jacobian or gradient):
            return "float, error 0"
        shown = {what: power_of_ten_above(bound) for what, bound in (("∂y/∂x", jacobian), ("∂L/∂x", gradient)) if bound}
        if len(set(shown.values())) == 1:
            return f"float, error ≤ {next(iter(shown.values()))}"
        return "float, error ≤ " + ", ≤ ".join(f"{bound} in {what}" for what, bound in shown.items())

    def sections(self) -> Iterator[Section]:
        """Yield what follows the question and the findings: the derivation or the answer, conditions, warnings."""
        if self.solution.derivation is not None:
            from implicitgrad.writers.steps import derive

            yield from derive(self.solution, self.notation)
        else:
            if self.solution.at_value is None or self.solution.at_value.shows_x:
                yield from self._answer()
            if self.solution.at_value is not None:
                yield from self._at_value(self.solution.at_value)
            if self.solution.second:
                yield Section((Equations(tuple(self._second())),))
        if conditions := self._conditions():
            yield Section(tuple(Sentence(text, Role.CONDITION) for text in conditions))
        yield from self.warnings()

    def dependence(self) -> Iterator[Section]:
        """Yield what of a singular system is dependent and what is not determined."""
        if self.free or self.solution.rank < self.system.equations:
            from implicitgrad.writers.dependence import explain_dependence

            yield from explain_dependence(self.solution, self.notation)

    def warnings(self) -> list[Section]:
        """Return a section for each warning."""
        return [Section((Sentence(f"warning: {text}", Role.WARNING),)) for _, text in self.solution.warnings]

    def _answer(self) -> Iterator[Section]:
        if self.solution.constraints is not None:
            where = (
                ", in small changes" if self.system.is_local else ", in changes" if self.system.is_in_changes else ""
            )
            constrained = Sentence(f"x is constrained{where}:", Role.FINDING)
            yield Section((constrained, Equations(tuple(self._constraints()))))
            yield Section((Sentence(self.direction(), Role.ASIDE),))
        yield from self.dependence()
        if not self.solution.independent:
            return
        yield Section((self._general(),))
        if unconstrained := self._unconstrained():
            yield Section((Sentence(unconstrained),))
        if self.solution.general.free and not self.solution.theorem_fails:
            yield Section((Sentence("one choice of many, the minimum-norm one", Role.ASIDE),))
            yield Section((self._minimum_norm(),))

    def _at_value(self, found: AtValue) -> Iterator[Section]:
        """Yield y at the value of x, ∂L/∂A and ∂L/∂B."""
        values = list(zip(self.solution.y, found.y.bounded_rows()[0], strict=True))
        known = [self.notation.sum(value, ()).named(self.notation.name(y)) for y, value in values if value is not None]
        lacking = [self.notation.mention(y) for y, value in values if value is None]
        elements: list[Element] = [Equations(tuple(known))] if known else []
        if lacking:
            elements.append(Sentence(f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not unique"))
        yield Section((Sentence("at this x", Role.ASIDE), *elements))
        rows = [self.label(name) for name in self.solution.x] if self.system.B is None else None
        rows = rows or [f"equation {i + 1}" for i in range(self.system.equations)]
        for key, matrices, names in (
            ("A", found.dL_dA, self.y),
            ("B", found.dL_dB, tuple(map(self.label, self.solution.x))),
        ):
            for label, matrix, is_unique in zip(
                self._loss_labels(key), matrices or (), self.solution.unique_losses, strict=False
            ):
                yield Section((self._coefficients(label, rows, names, matrix),))
                if matrix.count_determined() < len(rows) * len(names):
                    yield Section(
                        (Sentence(f"{label} has entries that are not determined: {self._reason(key, is_unique)}"),)
                    )

    def _coefficients(
        self, label: str, rows: Sequence[str], names: Sequence[str], matrix: BaseMatrix[Fraction | None]
    ) -> Block:
        """Return ∂L/∂A or ∂L/∂B of one loss."""
        columns = []
        for column in zip(*matrix.bounded_rows(), strict=True):
            known = iter(self.notation.column([value for value in column if value is not None]))
            columns.append([OPEN if value is None else next(known) for value in column])
        lines = zip(rows, zip(*columns, strict=True), strict=True)
        return Block(
            tuple(names), tuple(Row(row, cells, f"{label}[{row}], ") for row, cells in lines), (), corner=label
        )

    def _reason(self, key: str, is_unique: bool) -> str:
        """Return why entries of ∂L/∂A or ∂L/∂B are not determined."""
        if not is_unique:
            return "∂L/∂y is not in the row space of A, and y may change in many ways"
        why = []
        if self.solution.rank < self.system.equations:
            why.append("equations are dependent, and a change of one alone may leave no solution")
        if self.free and key == "A":
            why.append("y is not unique, and they depend on it")
        return "; ".join(why)

    def _constraints(self) -> Iterator[Expression]:
        """Yield the equations that x must satisfy: x3 = x1 + x2."""
        found = self.solution.constraints
        assert found is not None
        spell = self.notation.change if self.system.is_in_changes else self.notation.name
        inputs = list(map(spell, self.solution.independent))
        for name, row in zip(found.dependent, found.matrix.bounded_rows(), strict=True):
            yield self.notation.sum(Fraction(0), zip(row, inputs, strict=True)).named(spell(name))

    def _conditions(self) -> list[str]:
        """Return where an answer in letters holds, and what is known of it elsewhere."""
        found = self.solution.validity
        if found is None:
            return []
        texts = []
        if found.nonzero:
            texts.append(f"holds where {_listed([self.notation.comparison(value, '≠') for value in found.nonzero])}")
        if self.system.is_local and found.nonzero:
            texts.append(
                "elsewhere ∂F/∂y is singular or has no value, and the implicit function theorem does not apply"
            )
        texts += [f"where {self._zeros(case.zeros)}: {self._case(case)}" for case in found.cases]
        if not found.has_all_cases:
            texts.append("the rank may be lower still: not every case is listed")
        return texts

    def _zeros(self, zeros: Sequence[Symbolic]) -> str:
        texts = [value.shown for value in zeros]
        if len(texts) > 1 and all(text.isidentifier() for text in texts):
            return " = ".join([*map(self.notation.mention, texts), "0"])
        return _listed([self.notation.comparison(value, "=") for value in zeros])

    def _case(self, case: SpecialCase) -> str:
        if case.rank is None:
            return "the rank was not found"
        texts = [f"rank {case.rank}"]
        if case.status is not None and case.status is not self.solution.status:
            texts.append(str(case.status))
        if case.rank == self.solution.rank and case.free and case.free != self.solution.general.free:
            free = ", ".join(map(self.notation.mention, case.free))
            texts.append(f"free {'is' if len(case.free) == 1 else 'are'} {free}")
        elif case.rank == self.solution.rank and len(texts) == 1:
            texts.append("in another form")
        return ", ".join(texts)

    def direction(self) -> str:
        """Return the direction of the derivatives if x is constrained."""
        found = self.solution.constraints
        if found is None:
            return ""
        if not self.inputs:
            return "no input can vary: there are no derivatives"
        moving = [any(row) for row in found.matrix]
        names = [self.notation.mention(name) for name in found.dependent]
        follow = [name for name, moves in zip(names, moving, strict=True) if moves]
        fixed = [name for name, moves in zip(names, moving, strict=True) if not moves]
        said = []
        if follow:
            said.append(f"{', '.join(follow)} {'follows' if len(follow) == 1 else 'follow'}")
        if fixed:
            said.append(f"{', '.join(fixed)} {'stays' if len(fixed) == 1 else 'stay'} fixed")
        return f"derivatives along the constraint: {'; '.join(said)}"

    def _general(self) -> Block:
        """Return ∂y/∂x and ∂L/∂x; undetermined entries are expressions in the free ones."""
        if self.solution.is_gradient_alone:
            return Block(self.inputs, (), self._losses())
        general, notation = self.solution.general, self.notation
        dependencies = general.null_space.nonzero_entries(self.is_free)
        rows = list(zip(self.solution.y, self.is_free, general.particular.bounded_rows(), dependencies, strict=True))
        columns = []
        for k, x in enumerate(self.solution.independent):
            determined = iter(notation.column([J[k] for _, is_free, J, V in rows if not (is_free or V)]))
            parameters = self._parameters(x)
            columns.append(
                [
                    notation.free_entry(y, x)
                    if is_free
                    else notation.sum(J[k], [(value, parameters[f]) for f, value in V])
                    if V
                    else next(determined)
                    for y, is_free, J, V in rows
                ]
            )
        return Block(self.inputs, self._rows(zip(*columns, strict=True)), self._losses())

    def _rows(self, cells: Iterable[tuple[Expression, ...]]) -> tuple[Row, ...]:
        return tuple(Row(y, row, f"∂{y}/∂") for y, row in zip(self.y, cells, strict=True))

    def _parameters(self, x: str) -> list[str]:
        return [self.notation.derivative(y, x) for y in self.solution.general.free]

    def _minimum_norm(self) -> Block:
        """Return the choice of least Frobenius norm."""
        columns = list(zip(*self.solution.general.minimum_norm.bounded_rows(), strict=True))
        cells = zip(*map(self.notation.column, columns), strict=True)
        rows = () if self.solution.is_gradient_alone else self._rows(cells)
        losses = []
        gradients = () if self.system.dL_dy is None else self.system.dL_dy.bounded_rows()
        for label, g in zip(self._loss_labels(), gradients, strict=True):
            losses.append(self._loss(label, [_sum_of_products(g, column) for column in columns]))
        return Block(self.inputs, rows, tuple(losses))

    def _unconstrained(self) -> str:
        """Return the inputs that the constraint does not involve."""
        found = self.solution.constraints
        if found is None:
            return ""
        names = [
            self.notation.mention(name)
            for m, name in enumerate(self.solution.independent)
            if not any(row[m] for row in found.matrix)
        ]
        if not names:
            return ""
        are, columns = ("is", "its column holds") if len(names) == 1 else ("are", "their columns hold")
        return f"{', '.join(names)} {are} not constrained: {columns} without the others' following"

    def _second(self) -> Iterator[Expression]:
        """Yield ∂²y/∂x² for every pair of inputs."""
        names, y = self.solution.x, self.solution.y[0]
        for i, row in enumerate(self.solution.second.bounded_rows() if self.solution.second else ()):
            for k, value in enumerate(row[i:], start=i):
                (number,) = self.notation.column([value])
                yield number.named(self.notation.second_derivative(y, names[i], names[k]))

    def _losses(self) -> tuple[Row, ...]:
        general = self.solution.general
        lines = []
        particulars = () if general.dL_dx_particular is None else general.dL_dx_particular.bounded_rows()
        coefficients = () if general.dL_dx_coefficients is None else general.dL_dx_coefficients.nonzero_entries()
        parameters = [self._parameters(x) for x in self.solution.independent] if any(coefficients) else []
        for label, particular, V in zip(self._loss_labels(), particulars, coefficients, strict=True):
            if V:
                cells = tuple(
                    self.notation.sum(value, [(coefficient, names[f]) for f, coefficient in V])
                    for value, names in zip(particular, parameters, strict=True)
                )
                note = f"not unique: ∂L/∂y is not in the row space of A; {self._needed()}"
                lines.append(Row(label, cells, label.removesuffix("x"), note))
            else:
                note = "unique: ∂L/∂y is in the row space of A" if self.free else ""
                lines.append(self._loss(label, particular, note))
        return tuple(lines)

    def _loss(self, label: str, gradient: Sequence[Fraction], note: str = "") -> Row:
        cells = tuple(Expression((cell.pieces[0].strip(), *cell.pieces[1:])) for cell in self.notation.column(gradient))
        return Row(label, cells, label.removesuffix("x"), note)

    def _loss_labels(self, below: str = "x") -> list[str]:
        dL_dy = () if self.system.dL_dy is None else self.system.dL_dy
        return [f"∂L/∂{below}"] if len(dL_dy) == 1 else [f"∂L{k + 1}/∂{below}" for k in range(len(dL_dy))]

    def _needed(self) -> str:
        """Return the condition on ∂L/∂y for a unique ∂L/∂x: Vᵀ·∂L/∂y = 0."""
        if self.solution.rank == 0:
            return "that would need ∂L/∂y = 0"
        if self.solution.rank == 1:
            row = next(row for row in self.system.A.bounded_rows() if any(row))
            return f"it would need ∂L/∂y ∝ ({', '.join(show_number(entry, self.digits) for entry in row)})"
        conditions = []
        rows = self.solution.general.null_space.first_columns(MAX_CONDITIONS).nonzero_entries()
        for column in range(min(len(self.free), MAX_CONDITIONS)):
            terms = [
                (value, f"∂L/∂{y}") for y, row in zip(self.y, rows, strict=True) for f, value in row if f == column
            ]
            conditions.append(f"{linear(Fraction(0), terms, self.digits)} = 0")
        rest = len(self.free) - MAX_CONDITIONS
        more = f" and {count(rest, 'more condition')} of this kind" if rest > 0 else ""
        return f"it would need {', '.join(conditions)}{more}"


def _listed(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def refuse_long(solution: Solution) -> None:
    """Raise InputError for an answer that is too long for a page, before it is laid out."""
    general, P = solution.general, len(solution.independent)
    terms = 0 if solution.is_gradient_alone else len(solution.y) * P + _dependencies(general) * P
    if general.dL_dx_coefficients is not None:
        terms += len(general.dL_dx_coefficients) * P * (1 + len(general.free))
    if (at := solution.at_value) is not None:
        terms += sum(rows * columns for rows, columns in (one.shape for one in (*(at.dL_dA or ()), *(at.dL_dB or ()))))
    if terms > MAX_TERMS:
        message = f"expected an answer of at most {MAX_TERMS:,} terms on a page, got {terms:,}"
        hint = "--format json writes all of it, and so does --output with a name ending in .npz"
        raise InputError([Problem(message, hint, "too-large", solution.system.source)])


def _dependencies(general: General) -> int:
    """Return the number of nonzero entries of the null space besides its identity."""
    return general.null_space.count_nonzero() - len(general.free)


def _sum_of_products(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    """Return Σ aᵢ·bᵢ, with a bound on its error if both have bounds."""
    total = sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))
    pairs = [(p, q) for p, q in zip(a, b, strict=True) if isinstance(p, Ball) and isinstance(q, Ball)]
    if not pairs:
        return total
    if any(inf in (p.error, q.error) for p, q in pairs) or abs(total) > LARGEST_DOUBLE:
        return Ball(total, inf)
    error = sum(abs(float(p)) * q.error + (abs(float(q)) + q.error) * p.error for p, q in pairs)
    return Ball(float(total), error * LENIENT + ulp(float(total)))


def power_of_ten_above(error: float) -> str:
    """Return a bound on an error: 1e-12."""
    text = f"{error:.0e}"
    exponent = int(text.partition("e")[2])
    return f"1e{exponent}" if float(f"1e{exponent}") >= error else f"1e{exponent + 1}"


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
        return show_decimals([root], digits)[0]
    return ROUNDED + show_decimals([Fraction(double or 0)], digits)[0].removeprefix(ROUNDED)
