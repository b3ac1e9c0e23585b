"""Quantities: every number that can be claimed of a program's answer, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from implicitgrad.model.program.claims import Side
from implicitgrad.model.program.problem import RowKind
from implicitgrad.model.program.solution import Derivatives, Missing, ProgramSolution, ProgramStatus, Slope
from implicitgrad.model.verdict import show
from implicitgrad.text.characters import printable

ZERO = Fraction(0)
MULTIPLIERS = {"lambda": RowKind.INEQUALITY, "lambda_lb": RowKind.LOWER, "lambda_ub": RowKind.UPPER}


class Entry(NamedTuple):
    """What is known of one number."""

    value: Fraction | None
    """None if there is none, or several."""
    is_null: bool
    """Whether null is a right claim of it."""
    instead: str = ""
    """What it is if it has no value, as "but it is …" goes on."""
    sides: tuple[Fraction | Missing, Fraction | Missing] | None = None
    """A derivative from the left and from the right, if these are known."""
    is_choice: bool = False
    """Whether it is one of several valid numbers."""
    undecided: str = ""
    """Why nothing is known of it, if so."""

    def side(self, side: Side) -> Fraction | Missing | None:
        """Return the derivative from one side; None if it is not known."""
        return None if self.sides is None else self.sides[0 if side is Side.LEFT else 1]


class Quantities:
    """The numbers of one answer."""

    def __init__(self, solution: ProgramSolution) -> None:
        self.solution, self.program = solution, solution.program

    @cached_property
    def why_nothing(self) -> str:
        """Why there are no derivatives, if there are none: the status in words."""
        return {
            ProgramStatus.NOT_UNIQUE: "not determined, for z is not unique",
            ProgramStatus.INFEASIBLE: "nothing, for the program is infeasible",
            ProgramStatus.UNBOUNDED: "nothing, for the program is unbounded",
        }.get(self.solution.status, "")

    def entry(self, key: str, loss: int, i: int, j: int) -> Entry:
        """Return what is known of a number. loss : for dL_dP, dL_dG and dL_dA; i, j : row and column."""
        of, _, parameter = key.partition("_d")
        if not parameter:
            return self._unknown_or_multiplier(key, j)
        if parameter in "PGA":
            return self._of_matrix(parameter, loss, i, j)
        derivatives = self.solution.by_letter if parameter == "x" else self.solution.derivatives
        if derivatives is None:
            return Entry(None, is_null=True, instead=self.why_nothing)
        k = self._places.get((parameter, j))
        if k is None:  # a bound that is absent
            return Entry(ZERO, is_null=False, sides=(ZERO, ZERO))
        return self._derivative(derivatives, of, i, k)

    def meaning(self, key: str, loss: int, i: int, j: int) -> str:
        """Return what a number is, in the program's names: ∂L/∂h1, or λ[h1]."""
        of, _, parameter = key.partition("_d")
        if not parameter:
            return printable(self._names[key][j])
        L = "L" if len(self.program.losses) == 1 else f"L{(loss if parameter in 'PGA' else i) + 1}"
        if parameter in "PGA":
            return f"∂{L}/∂{parameter}[{i + 1}][{j + 1}]"
        above = self.program.z[i] if of == "dz" else L
        return printable(f"∂{above}/∂{self._names[parameter][j]}")

    @cached_property
    def _names(self) -> dict[str, Sequence[str]]:
        """The names of the numbers of each vector, and of those that derivatives are taken in."""
        z, h, b = self.program.z, self.program.inequality_names, self.program.equality_names
        names: dict[str, Sequence[str]] = {"objective": ("the objective",), "z": z, "h": h, "b": b}
        names["q"] = self.program.cost_names()
        names["x"] = [letter.name for letter in self.program.letters or ()]
        names |= {bound: [f"{bound}[{name}]" for name in z] for bound in ("lb", "ub")}
        names["nu"] = [f"ν[{name}]" for name in b]
        of_multipliers = {"lambda": "h", "lambda_lb": "lb", "lambda_ub": "ub"}
        return names | {key: [f"λ[{name}]" for name in names[of]] for key, of in of_multipliers.items()}

    @cached_property
    def _places(self) -> dict[tuple[str, int], int]:
        """The place of each number of q, h, b, lb, ub or the letters among the parameters."""
        known = filter(None, (self.solution.derivatives, self.solution.by_letter))
        return {(one.key, one.number): k for found in known for k, one in enumerate(found.parameters)}

    def _unknown_or_multiplier(self, key: str, j: int) -> Entry:
        solution = self.solution
        if solution.z is None:
            return Entry(None, is_null=True, instead=self.why_nothing)
        if key == "objective":
            return Entry(solution.objective, is_null=False)
        if key == "z":
            is_free = any(direction[j] for direction in solution.face)
            return Entry(None if is_free else solution.z[j], bool(solution.face), self.why_nothing, is_choice=is_free)
        if key == "nu":
            value = solution.equality_multipliers[j]
            return Entry(value, value is None, is_choice=value is None)
        i = self.rows.get((MULTIPLIERS[key], j))
        if i is None:
            return Entry(ZERO, is_null=False)
        value = solution.multipliers[i]
        if value is not None:
            return Entry(value, is_null=False)
        least, most = solution.ranges[i]
        instead = f"at least {show(least)}" if most is None else f"from {show(least)} to {show(most)}"
        return Entry(None, is_null=True, instead=instead, is_choice=True)

    @cached_property
    def rows(self) -> dict[tuple[RowKind, int], int]:
        """The number of each inequality by its kind and its number in it."""
        return {(row.kind, row.number): i for i, row in enumerate(self.solution.inequalities)}

    def _derivative(self, derivatives: Derivatives, of: str, i: int, k: int) -> Entry:
        rows = derivatives.z if of == "dz" else derivatives.losses
        value, name = rows[i][k], derivatives.parameters[k].name
        sides = derivatives.one_sided.get(name)
        if sides is None:
            if value is None:
                return Entry(None, is_null=True, undecided=f"∂z/∂{printable(name)} is not decided")
            return Entry(value, is_null=False, sides=(value, value))
        left, right = (_number(side, of, i) for side in (sides.left, sides.right))
        if isinstance(left, Fraction) and left == right:  # of this number, though not of others in the column
            return Entry(left, is_null=value is None, sides=(left, right))
        instead = f"{_from(left, 'left')} and {_from(right, 'right')}"
        return Entry(None, is_null=True, instead=instead, sides=(left, right))

    def _of_matrix(self, parameter: str, loss: int, i: int, j: int) -> Entry:
        gradients = self.solution.matrix_gradients
        if gradients is not None:
            return Entry(getattr(gradients[loss], parameter)[i][j], is_null=False)
        if self.why_nothing:
            return Entry(None, is_null=True, instead=self.why_nothing)
        status = self.solution.status
        reason = f"∂L/∂{parameter} is found where the status is differentiable, and it is {status}"
        return Entry(None, is_null=True, undecided=reason)


def _number(side: Slope | Missing, of: str, i: int) -> Fraction | Missing:
    if isinstance(side, Missing):
        return side
    found = side.z[i] if of == "dz" else side.losses[i]
    return Missing.NOT_UNIQUE if found is None else found


def _from(side: Fraction | Missing, name: str) -> str:
    if isinstance(side, Missing):
        return f"{'infeasible' if side is Missing.INFEASIBLE else 'not unique'} on the {name}"
    return f"{show(side)} from the {name}"
