"""What a page says of a Solution, in words, equations and cells; how it is laid out is another matter."""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import zip_longest
from math import inf, ulp
from typing import NamedTuple

from implicitgrad.model.solution import General, Solution, SpecialCase
from implicitgrad.model.system import Arithmetic, Matrix, Origin
from implicitgrad.numbers.ball import Ball, BallMatrix
from implicitgrad.numbers.exact import Ratio
from implicitgrad.numbers.formatting import (
    LARGEST_DOUBLE,
    ROUNDED,
    Expression,
    in_pieces,
    linear,
    second_derivative,
    show_column,
    show_decimals,
    show_number,
)
from implicitgrad.symbolic.element import Symbolic
from implicitgrad.text.characters import count
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.number_grammar import exact_square_root, float_square_root

MAX_CONDITIONS = 3
MAX_TERMS = 100_000
"""Of an answer on a page, an entry having one for each free unknown that it depends on; seconds of work."""
CONDITION_DIGITS = 3
"""At most, of a condition number."""
NOT_FILES = ("<inline>", "<python>")
LENIENT = 1 + 2.0**-40
"""More than the rounding of a sum of bounds."""
FREE = Expression(("free",))
Entry = tuple[int, Fraction]
"""A column and what is there."""


class DocumentLine(NamedTuple):
    """One row of a block: its label and a cell for each column."""

    label: str
    cells: tuple[Expression, ...]
    entry: str
    """What one cell is called, up to the column's head: ∂y1/∂."""
    note: str = ""
    """Why the row is as it is."""


class Block(NamedTuple):
    """A table: a column for each independent input, rows of ∂y/∂x, then rows of ∂L/∂x."""

    heads: tuple[str, ...]
    rows: tuple[DocumentLine, ...]
    losses: tuple[DocumentLine, ...]

    @property
    def lines(self) -> tuple[DocumentLine, ...]:
        """All rows."""
        return self.rows + self.losses


class Document:
    """The parts of a page, in the order of its methods.

    label : how a name is shown. digits : the significant digits of a decimal.
    """

    def __init__(self, solution: Solution, label: Callable[[str], str], digits: int) -> None:
        self.solution, self.system, self.label, self.digits = solution, solution.system, label, digits
        self.inputs = tuple(map(label, solution.independent))
        self.y = tuple(map(label, solution.system.y))
        self.free = tuple(map(label, solution.general.free))
        free = set(solution.general.free)
        self.is_free = [name in free for name in solution.system.y]

    def question(self) -> list[str]:
        """What was asked: the file, the equation, its size."""
        system = self.system
        file = os.path.basename(system.source)
        title = self.label(file)
        if not _says_the_same(system.name, file):
            title = f"{title}: {self.label(system.name)}"
        counts = [count(system.equations, "equation"), count(system.unknowns, "unknown")]
        if system.B is not None:
            counts.append(count(system.inputs, "input"))
        parts = ["x = A·y" if system.B is None else "B·x = A·y", ", ".join(counts)]
        if system.origin is not None:
            parts[0] = "equations" if system.origin.is_linear else "F(x, y) = 0"
            parts[1:1] = self._point(system.origin)
        return parts if system.source in NOT_FILES else [title, *parts]

    def _point(self, origin: Origin) -> list[str]:
        """Where the equations are taken, and what of that was found and not given."""
        if not origin.point:
            return []
        is_near = origin.residual != "0"
        values = [
            f"{self.label(name)} {self._near(value) if is_near and name in origin.found else f'= {value}'}"
            for name, value in origin.point
        ]
        found = [f"{', '.join(map(self.label, origin.found))} found by Newton's method"] if origin.found else []
        if found and is_near:
            found[-1] += ", and proved"
        return [f"at {', '.join(values)}", *found]

    def _near(self, value: str) -> str:
        return f"{ROUNDED} {show_decimals([Fraction(value)], self.digits)[0].removeprefix(ROUNDED)}"

    def findings(self) -> list[str]:
        """What was found: the verdict and what it rests on."""
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
        shown = {
            what: _power_of_ten_above(bound) for what, bound in (("∂y/∂x", jacobian), ("∂L/∂x", gradient)) if bound
        }
        if len(set(shown.values())) == 1:
            return f"float, error ≤ {next(iter(shown.values()))}"
        return "float, error ≤ " + ", ≤ ".join(f"{bound} in {what}" for what, bound in shown.items())

    def constrained(self) -> str:
        """What stands before the constraints."""
        if self.system.is_local:
            return "x is constrained, in small changes:"
        return "x is constrained, in changes:" if self.system.is_in_changes else "x is constrained:"

    def constraints(self) -> list[Expression]:
        """The equations that x must satisfy: x3 = x1 + x2."""
        found = self.solution.constraints
        if found is None:
            return []
        d = "d" if self.system.is_in_changes else ""
        inputs = [d + name for name in self.inputs]
        return [
            linear(Fraction(0), zip(row, inputs, strict=True), self.digits).named(d + self.label(name))
            for name, row in zip(found.dependent, numbers_of(found.matrix), strict=True)
        ]

    def validity(self, compared: Callable[[Symbolic, str], str] | None = None) -> list[str]:
        """Where an answer with letters holds, and what happens elsewhere.

        compared : how it is said that a value is, or is not, 0.
        """
        compared = compared or _compared
        found = self.solution.validity
        if found is None:
            return []
        said = []
        if found.nonzero:
            said.append(f"holds where {_listed([compared(value, '≠') for value in found.nonzero])}")
        if self.system.is_local and found.nonzero:
            said.append("elsewhere ∂F/∂y is singular or has no value, and the implicit function theorem does not apply")
        said += [f"where {self._zeros(case.zeros, compared)}: {self._case(case)}" for case in found.cases]
        if not found.has_all_cases:
            said.append("the rank may be lower still: not every case is listed")
        return said

    def _zeros(self, zeros: Sequence[Symbolic], compared: Callable[[Symbolic, str], str]) -> str:
        texts = [value.shown for value in zeros]
        if compared is _compared and all(text.isidentifier() for text in texts):
            return " = ".join([*texts, "0"])
        return _listed([compared(value, "=") for value in zeros])

    def _case(self, case: SpecialCase) -> str:
        if case.rank is None:
            return "the rank was not found"
        said = [f"rank {case.rank}"]
        if case.status is not None and case.status is not self.solution.status:
            said.append(str(case.status))
        if case.rank == self.solution.rank and case.free and case.free != self.solution.general.free:
            said.append(f"free {'is' if len(case.free) == 1 else 'are'} {', '.join(map(self.label, case.free))}")
        elif case.rank == self.solution.rank and len(said) == 1:
            said.append("in another form")
        return ", ".join(said)

    def direction(self) -> str:
        """Along what the derivatives are taken where x is constrained."""
        found = self.solution.constraints
        if found is None:
            return ""
        if not self.inputs:
            return "no input can vary: there is nothing to differentiate by"
        moving = [any(row) for row in found.matrix]
        names = [self.label(name) for name in found.dependent]
        follow = [name for name, moves in zip(names, moving, strict=True) if moves]
        fixed = [name for name, moves in zip(names, moving, strict=True) if not moves]
        said = []
        if follow:
            said.append(f"{', '.join(follow)} {'follows' if len(follow) == 1 else 'follow'}")
        if fixed:
            said.append(f"{', '.join(fixed)} {'stays' if len(fixed) == 1 else 'stay'} fixed")
        return f"derivatives along the constraint: {'; '.join(said)}"

    def general(self) -> Block:
        """∂y/∂x and ∂L/∂x; what is not determined as an expression in the free entries."""
        if self.solution.is_gradient_alone:
            return Block(self.inputs, (), self._losses())
        general = self.solution.general
        along = nonzero_entries(general.null_space, self.is_free)
        rows = list(zip(self.is_free, numbers_of(general.particular), along, strict=True))
        columns = []
        for k, x in enumerate(self.inputs):
            texts = iter(show_column([J[k] for is_free, J, V in rows if not (is_free or V)], self.digits))
            cells = []
            for is_free, J, V in rows:
                if is_free:
                    cells.append(FREE)
                elif V:
                    cells.append(self._along_free(J[k], V, x))
                else:
                    cells.append(Expression(in_pieces(next(texts))))
            columns.append(cells)
        lines = zip(self.y, zip(*columns, strict=True), strict=True)
        return Block(self.inputs, tuple(DocumentLine(y, cells, f"∂{y}/∂") for y, cells in lines), self._losses())

    @property
    def shows_a_choice(self) -> bool:
        """Whether there are free entries, and any choice of them is an answer."""
        return bool(self.solution.general.free) and not self.solution.theorem_fails

    def minimum_norm(self) -> Block:
        """The choice of least Frobenius norm."""
        J = numbers_of(self.solution.general.minimum_norm)
        columns = [list(column) for column in zip(*J, strict=True)]
        shown = zip(*(show_column(column, self.digits) for column in columns), strict=True)
        rows = tuple(
            DocumentLine(y, tuple(Expression(in_pieces(text)) for text in texts), f"∂{y}/∂")
            for y, texts in zip(self.y, shown, strict=True)
            if not self.solution.is_gradient_alone
        )
        losses = []
        gradients = () if self.system.dL_dy is None else numbers_of(self.system.dL_dy)
        for label, g in zip(self._loss_labels(), gradients, strict=True):
            gradient = [_sum_of_products(g, column) for column in columns]
            losses.append(self._loss(label, gradient))
        return Block(self.inputs, rows, tuple(losses))

    def unconstrained(self) -> str:
        """Which columns hold whatever the constraint says."""
        found = self.solution.constraints
        if found is None:
            return ""
        names = [name for m, name in enumerate(self.inputs) if not any(row[m] for row in found.matrix)]
        if not names:
            return ""
        are, columns = ("is", "its column holds") if len(names) == 1 else ("are", "their columns hold")
        return f"{', '.join(names)} {are} not constrained: {columns} without the others' following"

    def second(self) -> list[Expression]:
        """∂²y/∂x² by every pair of inputs, if they were asked for and no derivation has them."""
        rows = self.solution.second
        if rows is None or self.solution.derivation is not None:
            return []
        names = [self.label(name) for name in self.solution.x]
        found = []
        for i, row in enumerate(numbers_of(rows)):
            for k, value in enumerate(row):
                if k >= i:
                    name = second_derivative(self.y[0], names[i], names[k])
                    found.append(Expression(in_pieces(show_number(value, self.digits))).named(name))
        return found

    def warnings(self) -> list[str]:
        """What is to be kept in mind."""
        return [f"warning: {message}" for _, message in self.solution.warnings]

    def _losses(self) -> tuple[DocumentLine, ...]:
        general = self.solution.general
        lines = []
        particulars = () if general.dL_dx_particular is None else numbers_of(general.dL_dx_particular)
        coefficients = () if general.dL_dx_coefficients is None else nonzero_entries(general.dL_dx_coefficients)
        rows = zip(self._loss_labels(), particulars, coefficients, strict=True)
        for label, particular, V in rows:
            if V:
                cells = [self._along_free(value, V, x) for value, x in zip(particular, self.inputs, strict=True)]
                note = f"not unique: ∂L/∂y is not in the row space of A; {self._needed()}"
                lines.append(DocumentLine(label, tuple(cells), _loss_entry(label), note))
            else:
                note = "unique: ∂L/∂y is in the row space of A" if self.free else ""
                lines.append(self._loss(label, particular, note))
        return tuple(lines)

    def _loss(self, label: str, gradient: Sequence[Fraction], note: str = "") -> DocumentLine:
        texts = show_column(gradient, self.digits)
        return DocumentLine(
            label, tuple(Expression(in_pieces(text.strip())) for text in texts), _loss_entry(label), note
        )

    def _loss_labels(self) -> list[str]:
        dL_dy = () if self.system.dL_dy is None else self.system.dL_dy
        return ["∂L/∂x"] if len(dL_dy) == 1 else [f"∂L{k + 1}/∂x" for k in range(len(dL_dy))]

    def _along_free(self, value: Fraction, coefficients: Sequence[Entry], x: str) -> Expression:
        terms = [(coefficient, f"∂{self.free[f]}/∂{x}") for f, coefficient in coefficients]
        return linear(value, terms, self.digits)

    def _needed(self) -> str:
        """What ∂L/∂y must satisfy for ∂L/∂x to be unique: Vᵀ·∂L/∂y = 0."""
        if self.solution.rank == 0:
            return "that would need ∂L/∂y = 0"
        if self.solution.rank == 1:
            row = next(row for row in numbers_of(self.system.A) if any(row))
            return f"it would need ∂L/∂y ∝ ({', '.join(show_number(entry, self.digits) for entry in row)})"
        conditions = []
        rows = nonzero_entries(_first_columns(self.solution.general.null_space, MAX_CONDITIONS))
        for column in range(min(len(self.free), MAX_CONDITIONS)):
            terms = [
                (value, f"∂L/∂{y}") for y, row in zip(self.y, rows, strict=True) for f, value in row if f == column
            ]
            conditions.append(f"{linear(Fraction(0), terms, self.digits)} = 0")
        rest = len(self.free) - MAX_CONDITIONS
        more = f" and {count(rest, 'more condition')} of this kind" if rest > 0 else ""
        return f"it would need {', '.join(conditions)}{more}"


def _compared(value: Symbolic, sign: str) -> str:
    """That an expression is 0, or is not: k = -2 for k + 2, and b ≠ c for b − c."""
    text = value.shown
    if match := re.fullmatch(r"(\w+(?:\(\w+\))?) ([+−]) (\w+|[0-9]+/[0-9]+)", text):
        left, operator, right = match.groups()
        is_number = right[0].isdecimal()
        if left[0].isdecimal() and operator == "−":
            left, right = right, left
        if operator == "−" or is_number:
            return f"{left} {sign} {'-' if operator == '+' else ''}{right}"
    return f"{text} {sign} 0"


def _listed(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def numbers_of(matrix: Matrix) -> Matrix:
    """A matrix by rows, doubles with their bounds."""
    return [*matrix.bounded_rows()] if isinstance(matrix, BallMatrix) else matrix


def refuse_long(solution: Solution) -> None:
    """Raises InputError for an answer that no page is for, before it is laid out."""
    general, P = solution.general, len(solution.independent)
    terms = 0 if solution.is_gradient_alone else len(solution.y) * P + _dependencies(general) * P
    if general.dL_dx_coefficients is not None:
        terms += len(general.dL_dx_coefficients) * P * (1 + len(general.free))
    if terms > MAX_TERMS:
        message = f"expected an answer of at most {MAX_TERMS:,} terms on a page, got {terms:,}"
        hint = "--format json has it whole, and so has --output with a name that ends in .npz"
        raise InputError([Problem(message, hint, "too-large", solution.system.source)])


def _dependencies(general: General) -> int:
    """How many entries of the null space say of an unknown that it depends on a free one."""
    V = general.null_space
    if isinstance(V, BallMatrix):
        return V.count_nonzero() - len(general.free)
    return sum(bool(entry) for row in V for entry in row) - len(general.free) if general.free else 0


def nonzero_entries(matrix: Matrix, is_passed_over: Sequence[bool] = ()) -> list[list[Entry]]:
    """Of each row the entries that are not 0, doubles with their bounds; none of the rows that are passed over.

    A null space has mostly zeros where its unknowns are free.
    """
    if isinstance(matrix, BallMatrix):
        return matrix.nonzero_entries(is_passed_over)
    rows = zip_longest(matrix, is_passed_over)
    return [[] if is_passed else [(j, entry) for j, entry in enumerate(row) if entry] for row, is_passed in rows]


def _first_columns(matrix: Matrix, number: int) -> Matrix:
    return matrix.first_columns(number) if isinstance(matrix, BallMatrix) else [tuple(row[:number]) for row in matrix]


def _sum_of_products(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    """Σ aᵢ·bᵢ, with a bound on its error where one of them has bounds."""
    total = sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))
    pairs = [(p, q) for p, q in zip(a, b, strict=True) if isinstance(p, Ball) and isinstance(q, Ball)]
    if not pairs:
        return total
    if any(inf in (p.error, q.error) for p, q in pairs) or abs(total) > LARGEST_DOUBLE:
        return Ball(total, inf)
    error = sum(abs(float(p)) * q.error + (abs(float(q)) + q.error) * p.error for p, q in pairs)
    return Ball(float(total), error * LENIENT + ulp(float(total)))


def _power_of_ten_above(error: float) -> str:
    text = f"{error:.0e}"
    exponent = int(text.partition("e")[2])
    return f"1e{exponent}" if float(f"1e{exponent}") >= error else f"1e{exponent + 1}"


def _loss_entry(label: str) -> str:
    return label.removesuffix("x")


def _says_the_same(name: str, title: str) -> bool:
    """Whether a name adds nothing to its file's."""
    words = name.replace("-", "_")
    file, _, document = title.rpartition("#")
    file = (file if document.isdecimal() else title).replace("-", "_")
    return words in (file, file.rpartition(".")[0])


def _show_root(squared: Ratio, digits: int) -> str:
    """A square root to so many digits."""
    root = exact_square_root(*squared)
    double = float_square_root(*squared)
    if root is None and double is None:
        return "> 1e308"
    if root is not None:
        return show_decimals([root], digits)[0]
    return ROUNDED + show_decimals([Fraction(double or 0)], digits)[0].removeprefix(ROUNDED)
