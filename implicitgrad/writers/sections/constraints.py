"""Show what constrains x: its equations, and the direction of derivatives along them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from implicitgrad.model.implicit_equations import are_in_changes
from implicitgrad.model.solution import Constraints, Solution
from implicitgrad.model.system import LinearSystem
from implicitgrad.writers.elements import Equations, Role, Section, Sentence

if TYPE_CHECKING:
    from implicitgrad.writers.notation import Notation


def show_constraints(solution: Solution, found: Constraints, notation: Notation) -> Iterator[Section]:
    """Yield the equations that x must satisfy, and the direction of the derivatives."""
    system = solution.system
    where = ", in small changes" if system.is_local else ", in changes" if are_in_changes(system.origin) else ""
    equations = notation.in_one_style(partial(_equations, solution, found))
    yield Section((Sentence(f"x is constrained{where}:", Role.FINDING), equations))
    yield Section((Sentence(direction(solution, found, notation), Role.ASIDE),))


def _equations(solution: Solution, found: Constraints, notation: Notation) -> Equations:
    """Return the equations that x must satisfy: x3 = x1 + x2."""
    spell = notation.change if are_in_changes(solution.system.origin) else notation.name
    inputs = [spell(input_name(solution.system, name)) for name in solution.independent]
    dependent = [spell(input_name(solution.system, name)) for name in found.dependent]
    rows = zip(dependent, found.matrix.bounded_rows(), strict=True)
    sums = [notation.sum(Fraction(0), zip(row, inputs, strict=True)).named(name) for name, row in rows]
    return Equations(tuple(sums))


def direction(solution: Solution, found: Constraints, notation: Notation) -> str:
    """Return the direction of the derivatives."""
    if not solution.independent:
        return "no input can vary: there are no derivatives"
    moving = [any(row) for row in found.matrix]
    names = [notation.mention(input_name(solution.system, name)) for name in found.dependent]
    follow = [name for name, moves in zip(names, moving, strict=True) if moves]
    fixed = [name for name, moves in zip(names, moving, strict=True) if not moves]
    said = []
    if follow:
        said.append(f"{', '.join(follow)} {'follows' if len(follow) == 1 else 'follow'}")
    if fixed:
        said.append(f"{', '.join(fixed)} {'stays' if len(fixed) == 1 else 'stay'} fixed")
    return f"derivatives along the constraint: {'; '.join(said)}"


def name_unconstrained(solution: Solution, found: Constraints, notation: Notation) -> Iterator[Section]:
    """Yield a section that names the inputs that the constraint does not involve, if there are any."""
    names = [
        notation.mention(input_name(solution.system, name))
        for m, name in enumerate(solution.independent)
        if not any(row[m] for row in found.matrix)
    ]
    if not names:
        return
    are, columns = ("is", "its column holds") if len(names) == 1 else ("are", "their columns hold")
    said = f"{', '.join(names)} {are} not constrained: {columns} without the others' following"
    yield Section((Sentence(said),))


def input_name(system: LinearSystem, name: str) -> str:
    """Return the name of an input where unknowns may stand beside it: ``x[farm]`` if an unknown is called farm."""
    return f"x[{name}]" if name in system.y else name
