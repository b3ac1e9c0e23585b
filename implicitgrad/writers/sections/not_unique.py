"""Show an answer that is not unique: its entries in the free ones, and those of the minimum-norm choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import inf, ulp
from typing import TYPE_CHECKING, Any

from implicitgrad.model.solution import Solution
from implicitgrad.numbers.display.decimals import LARGEST_DOUBLE
from implicitgrad.numbers.display.sums import linear
from implicitgrad.numbers.doubles import Ball
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.text.characters import count
from implicitgrad.writers.elements import FREE, Block, Role, Section, Sentence

if TYPE_CHECKING:
    from implicitgrad.writers.notation import Notation
    from implicitgrad.writers.options import ShownAnswer

MAX_CONDITIONS = 3
LENIENT = 1 + 2.0**-40
"""A factor that exceeds the rounding error of a sum of bounds."""


def in_free_unknowns(solution: Solution, shown: ShownAnswer, notation: Notation) -> Block:
    """Return ∂y/∂x and ∂L/∂x as numbers or expressions in the free entries, and why the latter is unique or not."""
    J, dL_dx, notes = _rows(solution, shown, notation)
    block = notation.jacobian(shown, J, dL_dx)
    losses = tuple(row._replace(note=note) for row, note in zip(block.losses, notes, strict=True))
    return block._replace(losses=losses)


def _rows(
    solution: Solution, shown: ShownAnswer, notation: Notation
) -> tuple[list[Sequence[Any]], list[Sequence[Any]], list[str]]:
    """Return the rows of ∂y/∂x and of ∂L/∂x, and a note on each of the latter."""
    general, free = shown.general, set(solution.general.free)
    parameters = [[notation.derivative(y, x) for y in general.free] for x in shown.x]

    def row(constants: Sequence[Fraction], V: Sequence[tuple[int, Fraction]]) -> Sequence[Any]:
        if not V:
            return constants
        return [
            notation.sum(constant, [(value, names[f]) for f, value in V])
            for constant, names in zip(constants, parameters, strict=True)
        ]

    J: list[Sequence[Any]] = []
    if not solution.is_gradient_alone:
        V = _nonzero_entries(general.null_space)
        for y, constants, dependencies in zip(shown.y, general.particular.bounded_rows(), V, strict=True):
            J.append([FREE] * len(shown.x) if y in free else row(constants, dependencies))
    if general.dL_dx_particular is None or general.dL_dx_coefficients is None:
        return J, [], []
    coefficients = _nonzero_entries(general.dL_dx_coefficients)
    losses = list(zip(general.dL_dx_particular.bounded_rows(), coefficients, strict=True))
    notes = [
        f"not unique: ∂L/∂y is not in the row space of A; {_needed_for_uniqueness(solution, notation)}"
        if dependencies
        else "unique: ∂L/∂y is in the row space of A"
        for _, dependencies in losses
    ]
    return J, [row(*loss) for loss in losses], notes


def _nonzero_entries(matrix: BaseMatrix[Any]) -> list[list[tuple[int, Any]]]:
    """Return each row's nonzero entries as (column, entry), doubles as Balls."""
    found = []
    for i, row in enumerate(matrix.plain_rows()):
        columns = [j for j, entry in enumerate(row) if entry]
        found.append(list(zip(columns, matrix.part([i], columns).bounded_rows()[0], strict=True)))
    return found


def _needed_for_uniqueness(solution: Solution, notation: Notation) -> str:
    """Return the condition on ∂L/∂y for a unique ∂L/∂x: Vᵀ·∂L/∂y = 0."""
    if solution.rank == 0:
        return "that would need ∂L/∂y = 0"
    if solution.rank == 1:
        row = next(row for row in solution.system.A.bounded_rows() if any(row))
        return f"it would need ∂L/∂y ∝ ({', '.join(map(notation.show, row))})"
    conditions = []
    V, columns = solution.general.null_space, range(min(len(solution.general.free), MAX_CONDITIONS))
    rows = _nonzero_entries(V.part(range(len(V)), columns))
    for column in columns:
        terms = [
            (value, f"∂L/∂{notation.label(y)}")
            for y, row in zip(solution.y, rows, strict=True)
            for f, value in row
            if f == column
        ]
        conditions.append(f"{linear(Fraction(0), terms, notation.show)} = 0")
    rest = len(solution.general.free) - MAX_CONDITIONS
    more = f" and {count(rest, 'more condition')} of this kind" if rest > 0 else ""
    return f"it would need {', '.join(conditions)}{more}"


def show_minimum_norm(solution: Solution, shown: ShownAnswer, notation: Notation) -> Iterator[Section]:
    """Yield the ∂y/∂x of least Frobenius norm, and its ∂L/∂x."""
    J = () if solution.is_gradient_alone else shown.general.minimum_norm.bounded_rows()
    losses = minimum_norm_gradients(solution, shown)
    yield Section((Sentence("one choice of many, the minimum-norm one", Role.ASIDE),))
    yield Section((notation.in_one_style(lambda notation: notation.jacobian(shown, J, losses)),))


def minimum_norm_gradients(solution: Solution, shown: ShownAnswer) -> list[list[Fraction]]:
    """Return the rows of the ∂L/∂x that follows from the ∂y/∂x of least Frobenius norm."""
    gradients = () if solution.system.dL_dy is None else solution.system.dL_dy.bounded_rows()
    columns = list(zip(*shown.minimum_norm.bounded_rows(), strict=True))
    return [[_sum_of_products(gradient, column) for column in columns] for gradient in gradients]


def _sum_of_products(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    """Return Σ aᵢ·bᵢ, with a bound on its error if both have bounds; the sum may be beyond the largest double."""
    total = sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))
    pairs = [(p, q) for p, q in zip(a, b, strict=True) if isinstance(p, Ball) and isinstance(q, Ball)]
    if not pairs:
        return total
    if any(inf in (p.error, q.error) for p, q in pairs) or abs(total) > LARGEST_DOUBLE:
        return Ball(total, inf)
    error = sum(abs(float(p)) * q.error + (abs(float(q)) + q.error) * p.error for p, q in pairs)
    return Ball(float(total), error * LENIENT + ulp(float(total)))
