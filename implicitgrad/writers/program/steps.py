"""Derive the derivatives of a quadratic program step by step, as section 3 of OptNet does.

Source: Amos and Kolter, *OptNet: Differentiable Optimization as a Layer in Neural Networks* (2017).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from implicitgrad.model.program.problem import Vector, product
from implicitgrad.model.program.solution import ProgramSolution
from implicitgrad.model.system import Matrix
from implicitgrad.numbers.display.style import Expression
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.text.errors import UsageError
from implicitgrad.writers.elements import Element, Equations, Matrices, Section, Sentence, loss_names

if TYPE_CHECKING:
    from implicitgrad.writers.notation import Notation

MAX_SIZE = 8
"""Unknowns, active constraints and equalities together, of a derivation that is read."""
MAX_CONSTRAINTS = 12


def refuse_unfit(solution: ProgramSolution) -> None:
    """Raise UsageError for a program whose derivation is too long to be read, or that has no solution."""
    source = solution.program.source
    if solution.z is None:
        raise UsageError(f"{source}: --steps needs a solution, and the program is {solution.status}")
    size = len(solution.z) + len(solution.active) + len(solution.program.b)
    if size > MAX_SIZE or len(solution.inequalities) > MAX_CONSTRAINTS:
        expected = f"at most {MAX_SIZE} unknowns, active constraints and equalities, and {MAX_CONSTRAINTS} inequalities"
        raise UsageError(f"{source}: --steps is for {expected}")


def derive(solution: ProgramSolution, notation: Notation) -> Iterator[Section]:
    """Yield a numbered section for each step."""
    for number, (title, elements) in enumerate(_ProgramSteps(solution, notation).all(), start=1):
        yield Section(tuple(elements), f"{number}. {title}")


class _ProgramSteps:
    """The steps to the derivatives of one program, in a notation."""

    def __init__(self, solution: ProgramSolution, notation: Notation) -> None:
        self.solution, self.program, self.notation = solution, solution.program, notation
        self.positive = tuple(sorted([*solution.strong, *solution.exchangeable]))
        assert solution.z is not None
        self.z = solution.z

    def all(self) -> Iterator[tuple[str, list[Element]]]:
        yield self.conditions()
        yield self.active_constraints()
        if self.solution.is_unique and not self.solution.weak:
            yield self.differentiated()
        if self.solution.is_differentiable and self.program.losses:
            yield from self.adjoints()
            if self.program.letters:
                yield self.chain_rule()

    def conditions(self) -> tuple[str, list[Element]]:
        lines = ["P·z + q + Cᵀ·λ + Aᵀ·ν = 0" if self.program.b else "P·z + q + Cᵀ·λ = 0"]
        if not self.solution.inequalities:
            lines = [lines[0].replace(" + Cᵀ·λ", "")]
        else:
            lines += ["C·z ≤ d,  λ ≥ 0,  λ·(C·z − d) = 0"]
        if self.program.b:
            lines.append("A·z = b")
        elements: list[Element] = [Equations(tuple(map(_expression, lines)))]
        if any(row.kind != "h" for row in self.solution.inequalities):
            elements.append(Sentence("where C·z ≤ d are the rows of G, and −z ≤ −lb and z ≤ ub"))
        return "The KKT conditions", elements

    def active_constraints(self) -> tuple[str, list[Element]]:
        """Hold each constraint against its bound at z."""
        inline, shown = self.notation.inline, self.notation.number
        point = zip(map(self.notation.name, self.program.z), map(shown, self.z), strict=True)
        values = ", ".join(inline(f"{name} = {value}") for name, value in point)
        elements: list[Element] = [Sentence(f"at {values}", is_spelled=True)]
        for i, row in enumerate(self.solution.inequalities):
            total = product(row.coefficients, self.z)
            left = f"{self._terms(row.coefficients, self.program.z)} = {shown(total)}"
            if total < row.bound:
                found = f"{inline(f'{left} < {shown(row.bound)}')}, inactive: its multiplier is 0"
            else:
                multiplier = self.solution.multipliers[i]
                value = "not unique" if multiplier is None else inline(shown(multiplier))
                found = f"{inline(left)}, active: its multiplier is {value}"
            elements.append(Sentence(f"{inline(self.notation.name(row.name))}: {found}", is_spelled=True))
        return "Which constraints are active", elements

    def differentiated(self) -> tuple[str, list[Element]]:
        """Treat the active constraints as equations, and differentiate."""
        kkt = self.solution.kkt
        assert kkt is not None
        n = len(self.z)
        lines = ["P·dz + C_Iᵀ·dλ + Aᵀ·dν = −dq", "C_I·dz = dd_I", "A·dz = db"]
        kept = [True, bool(self.positive), bool(self.program.b)]
        if not self.program.b:
            lines[0] = lines[0].replace(" + Aᵀ·dν", "")
        if not self.positive:
            lines[0] = lines[0].replace(" + C_Iᵀ·dλ", "")
        equations = [line for line, is_kept in zip(lines, kept, strict=True) if is_kept]
        elements: list[Element] = [Equations(tuple(map(_expression, equations)))]
        rows = RationalMatrix.of(kkt.system.A).rows
        signed = [tuple(-entry for entry in row) for row in rows[:n]] + [tuple(row) for row in rows[n:]]
        column = [[self.notation.change(name)] for name in kkt.y]
        right = [[("−" if k < n else "") + self.notation.change(name)] for k, name in enumerate(kkt.x)]
        shown = self.notation.matrix(signed)
        elements += [
            Sentence("together, K·(dz, dλ, dν) = (−dq, dd, db)"),
            Matrices((shown, " · ", column, " = ", right)),
        ]
        return "Differentiate them, the active constraints as equations", elements

    def adjoints(self) -> Iterator[tuple[str, list[Element]]]:
        """Solve K·u = (∂L/∂z, ∂L/∂λ, ∂L/∂ν) for each loss, and read the gradients off u."""
        kkt, gradients = self.solution.kkt, self.solution.matrix_gradients
        assert kkt is not None
        assert kkt.dL_dx_rows is not None
        n = len(self.z)
        for k, (loss, row) in enumerate(zip(loss_names(len(self.program.losses)), kkt.dL_dx_rows, strict=True)):
            numbers = [entry for entry in row if entry is not None]
            u = [-entry for entry in numbers[:n]] + numbers[n:]
            labels = [self.notation.name(f"u[{name}]") for name in kkt.y]
            lines = [_expression(f"{label} = {self._shown(value)}") for label, value in zip(labels, u, strict=True)]
            yield f"The adjoint system, K·u = (∂{loss}/∂z, ∂{loss}/∂λ, ∂{loss}/∂ν)", [Equations(tuple(lines))]
            found = [f"∂{loss}/∂q = −u_z = ({self._listed(numbers[:n])})"]
            if self.positive:
                found.append(f"∂{loss}/∂d_I = u_λ = ({self._listed(numbers[n : n + len(self.positive)])})")
            if self.program.b:
                found.append(f"∂{loss}/∂b = u_ν = ({self._listed(numbers[n + len(self.positive) :])})")
            elements: list[Element] = [Equations(tuple(map(_expression, found)))]
            if gradients is not None:
                elements += self._outer(loss, "P", "−½·(u_z·zᵀ + z·u_zᵀ)", gradients[k].P)
                elements += self._outer(loss, "G", "−(λ·u_zᵀ + u_λ·zᵀ)", gradients[k].G)
                elements += self._outer(loss, "A", "−(ν·u_zᵀ + u_ν·zᵀ)", gradients[k].A)
            yield f"The gradients of {loss}", elements

    def chain_rule(self) -> tuple[str, list[Element]]:
        """Sum the gradients of each loss times the derivatives of the program's numbers in each letter."""
        derivatives, by_letter = self.solution.derivatives, self.solution.by_letter
        assert derivatives is not None
        assert by_letter is not None
        lines = []
        names = loss_names(len(self.program.losses))
        for k, (loss, gradients) in enumerate(zip(names, self.solution.matrix_gradients or (), strict=True)):
            places = [(parameter.key, parameter.number) for parameter in derivatives.parameters]
            vectors = dict(zip(places, derivatives.losses[k], strict=True))
            for letter, total in zip(self.program.letters or (), by_letter.losses[k], strict=True):
                terms = [
                    (key, getattr(gradients, key)[i][j], one.slope)
                    for key in ("P", "G", "A")
                    for (i, j), one in getattr(letter, key).items()
                ]
                terms += [
                    (key, vectors[key, i], one.slope)
                    for key in ("q", "h", "b")
                    for i, one in getattr(letter, key).items()
                ]
                name = self.notation.name(letter.name)
                formula = " + ".join(
                    f"∂{loss}/∂{key}·d{key}/d{name}" for key in dict.fromkeys(key for key, _, _ in terms)
                )
                shown = [f"({self._shown(a)})·({self._shown(b)})" for _, a, b in terms if a and b]
                assert total is not None
                parts = [f"∂{loss}/∂{name}", formula, " + ".join(shown), self._shown(total)]
                lines.append(_expression(" = ".join(part for part in parts if part)))
        return "The chain rule for the letters", [Equations(tuple(lines))]

    def _outer(self, loss: str, key: str, formula: str, matrix: Matrix) -> list[Element]:
        if not matrix:
            return []
        return [Matrices((f"∂{loss}/∂{key} = {formula} = ", self.notation.matrix(matrix)))]

    def _shown(self, value: Fraction) -> str:
        return self.notation.number(value)

    def _listed(self, values: Iterable[Fraction]) -> str:
        return ", ".join(map(self._shown, values))

    def _terms(self, row: Vector, names: Sequence[str]) -> Expression:
        return self.notation.sum(Fraction(0), zip(row, map(self.notation.name, names), strict=True))


def _expression(text: str) -> Expression:
    return Expression.of(text)
