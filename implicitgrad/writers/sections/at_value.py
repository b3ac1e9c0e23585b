"""Show y and the gradients with respect to A and B at a value of x."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Arithmetic
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.writers.elements import (
    OPEN,
    Block,
    Element,
    Equations,
    Role,
    Row,
    Section,
    Sentence,
    loss_labels,
    loss_names,
)
from implicitgrad.writers.notation import in_one_style

if TYPE_CHECKING:
    from implicitgrad.model.at_value import AtValue
    from implicitgrad.writers.pages.latex_notation import Notation
    from implicitgrad.writers.shown_answer import ShownAnswer


def show_at_value(solution: Solution, notation: Notation, shown: ShownAnswer) -> Iterator[Section]:
    """Yield y at the value of x, ∂L/∂A, ∂L/∂B and ∂L/∂a of letters, in the unknowns and inputs that are shown."""
    found = solution.at_value
    assert found is not None
    if found.y is not None:
        yield _values_of_y(solution, found, notation, shown)
    yield from _matrices(solution, found, notation, shown)
    if found.dL_dletters is not None:
        for loss, row in zip(loss_names(solution.system), found.dL_dletters.bounded_rows(), strict=True):
            yield _of_letters(loss, dict(zip(found.letters, row, strict=True)), notation)


def _values_of_y(solution: Solution, found: AtValue, notation: Notation, shown: ShownAnswer) -> Section:
    """Return y, in terms of its free unknowns where it is not unique."""
    assert found.y is not None
    values = dict(zip(shown.unknowns, found.y.part([0], shown.unknowns).bounded_rows()[0], strict=True))
    free = [j for j in shown.unknowns if solution.y[j] in solution.general.free]
    known: dict[int, tuple[Fraction, Sequence[Fraction]]] = {j: (v, ()) for j, v in values.items() if v is not None}
    lacking = [solution.y[j] for j in values if j not in known]
    if found.one_of_many is not None and solution.arithmetic is not Arithmetic.FLOAT and len(lacking) > 0:
        one, V = found.one_of_many.bounded_rows()[0], solution.general.null_space.bounded_rows()
        known |= {j: (one[j], V[j]) for j in values if j not in known and solution.y[j] not in solution.general.free}
        lacking = [solution.y[j] for j in free]
    elements: list[Element] = []
    if known:
        elements.append(in_one_style(notation, partial(_sums, solution, dict(sorted(known.items())))))
    if lacking:
        names = ", ".join(map(notation.mention, lacking))
        elements.append(Sentence(f"{names} {'is' if len(lacking) == 1 else 'are'} not unique"))
    return Section((Sentence("at this x", Role.ASIDE), *elements))


def _sums(
    solution: Solution, values: Mapping[int, tuple[Fraction, Sequence[Fraction]]], notation: Notation
) -> Equations:
    """Return y = constant + Σ coefficient·free unknown, for unknowns by their index."""
    free = list(map(notation.name, solution.general.free))
    return Equations(
        tuple(
            notation.sum(constant, zip(factors, free, strict=False)).named(notation.name(solution.y[j]))
            for j, (constant, factors) in values.items()
        )
    )


def _of_letters(loss: str, values: Mapping[str, Fraction | None], notation: Notation) -> Section:
    """Return the derivatives of one loss in letters."""
    known = {notation.gradient(loss, letter): value for letter, value in values.items() if value is not None}
    lacking = [f"∂{loss}/∂{notation.label(letter)}" for letter, value in values.items() if value is None]
    elements: list[Element] = [in_one_style(notation, partial(_equations, known))] if known else []
    if lacking:
        why = "where A is singular, they may depend on a choice, or there may be no solution beside this one"
        elements.append(Sentence(f"not determined: {', '.join(lacking)}; {why}"))
    return Section(tuple(elements))


def _matrices(solution: Solution, found: AtValue, notation: Notation, shown: ShownAnswer) -> Iterator[Section]:
    """Yield ∂L/∂A and ∂L/∂B."""
    system = solution.system
    rows = [notation.label(name) for name in solution.x] if system.B is None else None
    rows = rows or [f"equation {i + 1}" for i in range(system.equations)]
    for key, matrices, all_names, columns in (
        ("A", found.dL_dA, solution.y, shown.unknowns),
        ("B", found.dL_dB, solution.x, shown.inputs),
    ):
        names = [notation.label(all_names[k]) for k in columns]
        for label, whole, is_unique in zip(
            loss_labels(system, key), matrices or (), solution.unique_losses, strict=False
        ):
            matrix = whole.part(range(len(rows)), columns)
            build = partial(_coefficients, label, rows, names, matrix)
            yield Section((in_one_style(notation, build),))
            if matrix.count_determined() < len(rows) * len(names):
                reason = _reason(key, solution, is_unique=is_unique)
                yield Section((Sentence(f"{label} has entries that are not determined: {reason}"),))


def _coefficients(
    label: str,
    rows: Sequence[str],
    names: Sequence[str],
    matrix: BaseMatrix[Fraction | None],
    notation: Notation,
) -> Block:
    """Return ∂L/∂A or ∂L/∂B of one loss."""
    columns = []
    for column in zip(*matrix.bounded_rows(), strict=True):
        known = iter(notation.column([value for value in column if value is not None]))
        columns.append([OPEN if value is None else next(known) for value in column])
    lines = zip(rows, zip(*columns, strict=True), strict=True)
    return Block(tuple(names), tuple(Row(row, cells, f"{label}[{row}], ") for row, cells in lines), (), corner=label)


def _reason(key: str, solution: Solution, *, is_unique: bool) -> str:
    """Return why entries of ∂L/∂A or ∂L/∂B are not determined."""
    if not is_unique:
        return "∂L/∂y is not in the row space of A, and y may change in many ways"
    why = []
    if solution.rank < solution.system.equations:
        why.append("equations are dependent, and a change of one alone may leave no solution")
    if solution.general.free and key == "A":
        why.append("y is not unique, and they depend on it")
    return "; ".join(why)


def _equations(values: Mapping[str, Fraction], notation: Notation) -> Equations:
    return Equations(tuple(notation.sum(value, ()).named(name) for name, value in values.items()))
