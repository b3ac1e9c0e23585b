"""Show y and the gradients with respect to A and B at a value of x."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Arithmetic
from implicitgrad.writers.elements import (
    OPEN,
    Element,
    Equations,
    Role,
    Section,
    Sentence,
    loss_labels,
    loss_names,
)

if TYPE_CHECKING:
    from implicitgrad.model.at_value import AtValue
    from implicitgrad.writers.notation import Notation
    from implicitgrad.writers.options import ShownAnswer


def show_at_value(solution: Solution, notation: Notation, shown: ShownAnswer) -> Iterator[Section]:
    """Yield y at the value of x, ∂L/∂A, ∂L/∂B and ∂L/∂a of letters, in the unknowns and inputs that are shown."""
    found = solution.at_value
    assert found is not None
    if found.y is not None:
        yield _values_of_y(solution, found, notation, shown)
    yield from _matrices(solution, found, notation, shown)
    if found.dL_dletters is not None:
        for loss, row in zip(loss_names(len(found.dL_dletters)), found.dL_dletters.bounded_rows(), strict=True):
            yield _of_letters(loss, dict(zip(found.letters, row, strict=True)), notation)


def _values_of_y(solution: Solution, found: AtValue, notation: Notation, shown: ShownAnswer) -> Section:
    """Return y, in terms of its free unknowns where it is not unique."""
    assert found.y is not None
    values = dict(zip(shown.unknowns, found.y.part([0], shown.unknowns).bounded_rows()[0], strict=True))
    free = [j for j in shown.unknowns if solution.y[j] in solution.general.free]
    known: dict[int, tuple[Fraction, Sequence[Fraction]]] = {j: (v, ()) for j, v in values.items() if v is not None}
    lacking = [j for j in values if j not in known]
    if found.one_of_many is not None and solution.arithmetic is not Arithmetic.FLOAT and lacking:
        one, V = found.one_of_many.bounded_rows()[0], solution.general.null_space.bounded_rows()
        known |= {j: (one[j], V[j]) for j in lacking if j not in free}
        lacking = free

    def sums(notation: Notation) -> Equations:
        names = list(map(notation.name, solution.general.free))
        return Equations(
            tuple(
                notation.sum(constant, zip(factors, names, strict=False)).named(notation.name(solution.y[j]))
                for j, (constant, factors) in sorted(known.items())
            )
        )

    elements: list[Element] = [notation.in_one_style(sums)] if known else []
    if lacking:
        names = ", ".join(notation.mention(solution.y[j]) for j in lacking)
        elements.append(Sentence(f"{names} {'is' if len(lacking) == 1 else 'are'} not unique"))
    return Section((Sentence("at this x", Role.ASIDE), *elements))


def _of_letters(loss: str, values: Mapping[str, Fraction | None], notation: Notation) -> Section:
    """Return the derivatives of one loss in letters."""
    known = {notation.gradient(loss, letter): value for letter, value in values.items() if value is not None}
    lacking = [f"∂{loss}/∂{notation.label(letter)}" for letter, value in values.items() if value is None]
    elements: list[Element] = [notation.equations(known)] if known else []
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
        heads = [notation.label(all_names[k]) for k in columns]
        for label, whole, is_unique in zip(
            loss_labels(len(system.dL_dy or ()), key), matrices or (), solution.unique_losses, strict=False
        ):
            matrix = whole.part(range(len(rows)), columns)
            entries = matrix.bounded_rows()
            lines = [[OPEN if entry is None else entry for entry in row] for row in entries]
            yield Section((notation.table(label, heads, rows, lines),))
            if any(None in row for row in entries):
                reason = _reason(key, solution, is_unique=is_unique)
                yield Section((Sentence(f"{label} has entries that are not determined: {reason}"),))


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
