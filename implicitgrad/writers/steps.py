"""Derive an answer step by step, as a textbook does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any

from implicitgrad.model.solution import Derivation, Solution, Status
from implicitgrad.numbers.formatting import Expression, in_pieces
from implicitgrad.symbolic.element import Symbolic
from implicitgrad.writers.elements import Element, Equations, Matrices, Section, Sentence

if TYPE_CHECKING:
    from implicitgrad.writers.latex_notation import Notation
    from implicitgrad.writers.notation import Terms

MAX_LINES = 9
"""The most equations of one kind in a step."""
Step = tuple[str, list[Element]]
"""A title and the elements below it."""


def derive(solution: Solution, notation: Notation) -> Iterator[Section]:
    """Yield a numbered section for each step to an answer that has a derivation."""
    assert solution.derivation is not None
    steps = _Steps(solution, solution.derivation, notation).all()
    for number, (title, elements) in enumerate(steps, start=1):
        yield Section(tuple(_merged(elements)), f"{number}. {title}")


def _merged(elements: Iterable[Element]) -> Iterator[Element]:
    """Yield the elements with adjacent equations as one element, and without empty ones."""
    for is_equations, group in groupby(elements, lambda element: isinstance(element, Equations)):
        if not is_equations:
            yield from group
        elif lines := tuple(chain.from_iterable(one.lines for one in group if isinstance(one, Equations))):
            yield Equations(lines)


class _Steps:
    """The steps to one solution, in a notation."""

    def __init__(self, solution: Solution, derivation: Derivation, notation: Notation) -> None:
        self.solution, self.system, self.derivation, self.notation = solution, solution.system, derivation, notation
        self.x, self.y, self.free = solution.x, solution.y, solution.general.free
        self.N = self.system.unknowns
        M = self.system.equations
        self.B: Any = self.system.B or [[Fraction(i == k) for k in range(M)] for i in range(M)]
        self.right = "I" if self.system.B is None else "B"

    def all(self) -> Iterator[Step]:
        yield self.equations()
        yield self.differentiated()
        if self.system.equations * self.N > 1:
            yield self.in_matrices()
        yield self.reduced()
        if self.solution.constraints is not None:
            yield self.constrained()
        if self.solution.independent:
            yield self.solved() if self.free else self.unique()
            if self.system.dL_dy is not None:
                yield self.chain_rule()
        if self.solution.second:
            yield self.differentiated_again()

    def equations(self) -> Step:
        origin = self.system.origin
        if origin is not None and self.system.is_in_changes:
            function = "is a function" if self.N == 1 else "are functions"
            where = Sentence(f"in which {self._listed(self.y)} {function} of {self._listed(self.x)}")
            return "The equations", [_equations(map(self.notation.as_written, origin.equations, origin.parsed)), where]
        sides = zip(self.B, self.system.A, strict=True)
        return "The equations", self._some([f"{self._sum(b, self.x)} = {self._sum(a, self.y)}" for b, a in sides])

    def differentiated(self) -> Step:
        lines = []
        for k, x in enumerate(self.x):
            for a, b in zip(self.system.A, self.B, strict=True):
                lines.append(f"{self.notation.number(b[k])} = {self._derivative(a, x)}")
        return f"Differentiate both sides with respect to {self._listed(self.x)}{self._where()}", self._some(lines)

    def _where(self) -> str:
        origin = self.system.origin
        return ", at the point" if self.system.is_local and origin is not None and origin.point else ""

    def in_matrices(self) -> Step:
        matrices = [self._numbers(self.system.A), " · ", self._jacobian(self.x), " = ", self._numbers(self.B)]
        return f"Together, A·∂y/∂x = {self.right}", [Matrices(self.notation.side_by_side(*matrices))]

    def reduced(self) -> Step:
        elements: list[Element] = []
        pivots = [pivot for pivot in self.derivation.pivots if pivot.column < self.N]
        for pivot in pivots:
            own, inline = f"({pivot.row + 1})", self.notation.inline
            value, name = self.notation.number(pivot.value), self.notation.name(self.y[pivot.column])
            text = f"pivot {inline(value)} for {inline(name)}, in equation {own}"
            elements.append(Sentence(text, is_spelled=True))
            replaced = [] if pivot.value == 1 else [(own, [(1 / pivot.value, own)])]
            for row, factor in pivot.factors:
                other = f"({row + 1})"
                replaced.append((other, [(Fraction(1), other), (-factor, own)]))
            elements.append(
                _equations(self.notation.replacement(row, str(self._combined(terms))) for row, terms in replaced)
            )
        if any(isinstance(pivot.value, Symbolic) and not pivot.value.is_number for pivot in self.derivation.pivots):
            elements.append(Sentence("assuming nonzero pivots"))
        rank = f"the rank of A is {self.solution.rank}"
        if self.free:
            has = "has no pivot and is" if len(self.free) == 1 else "have no pivots and are"
            elements.append(Sentence(f"{rank}: {self._listed(self.free)} {has} free"))
        else:
            elements.append(Sentence(f"{rank}: every unknown has a pivot"))
        return f"Row reduce [A | {self.right}], the last unknown first", elements

    def constrained(self) -> Step:
        found, independent = self.solution.constraints, self.solution.independent
        assert found is not None
        elements = self._some(
            [
                f"0 = {self._sum(row[self.N :], self.x)}"
                for row in self.derivation.rows
                if not any(row[: self.N]) and any(row[self.N :])
            ]
        )
        elements.append(Sentence("no ∂y/∂x satisfies all of these, unless x moves along:"))
        by_name = dict(zip(found.dependent, found.matrix, strict=True))
        elements += self._some(
            [f"{self._input(name)} = {self._sum(row, independent)}" for name, row in by_name.items()]
        )
        title = "What remains of the equations has no y"
        if not independent:
            return title, [*elements, Sentence("no input can vary: there are no derivatives")]
        T = [by_name.get(x, [Fraction(x == other) for other in independent]) for x in self.x]
        right = "T" if self.system.B is None else "B·T"
        text = f"{self._listed(independent)} may vary, the others follow: A·∂y/∂x = {right}, with:"
        return title, [*elements, Sentence(text), Matrices(self.notation.side_by_side("T = ", self._numbers(T)))]

    def unique(self) -> Step:
        independent, J = self.solution.independent, self._numbers(self.solution.general.particular)
        title = "Read off ∂y/∂x" + (" = A⁻¹" if self._is_inverse else "")
        names = self._jacobian(independent)
        if len(J) == len(J[0]) == 1:
            return title, [_equations([f"{names[0][0]} = {J[0][0]}"])]
        return title, [Matrices(self.notation.side_by_side(names, " = ", J))]

    @property
    def _is_inverse(self) -> bool:
        return self.solution.status is Status.DETERMINED and self.system.B is None

    def solved(self) -> Step:
        general, independent = self.solution.general, self.solution.independent
        free = [self.notation.derivative(y, x) for y in self.free for x in independent]
        lines = []
        for k, x in enumerate(independent):
            for y, constants, V in zip(self.y, general.particular, general.null_space, strict=True):
                if y not in self.free:
                    lines.append(f"{self.notation.derivative(y, x)} = {self._in_free(constants[k], V, x)}")
        elements: list[Element] = [Sentence("these may be anything:")]
        elements.append(_equations([", ".join(free[:MAX_LINES]) + (", ..." if len(free) > MAX_LINES else "")]))
        if lines:
            elements.append(Sentence("and the others follow from them:"))
        return "Read off the general solution", [*elements, *self._some(lines)]

    def chain_rule(self) -> Step:
        general, gradients = self.solution.general, self.system.dL_dy
        assert gradients is not None
        assert general.dL_dx_particular is not None
        assert general.dL_dx_coefficients is not None
        elements: list[Element] = []
        rows = zip(gradients, general.dL_dx_particular, general.dL_dx_coefficients, strict=True)
        for number, (g, particular, V) in enumerate(rows, start=1):
            loss = "L" if len(gradients) == 1 else f"L{number}"
            lines = []
            for k, x in enumerate(self.solution.independent):
                value = f"{self._derivative(g, x)} = {self._in_free(particular[k], V, x)}"
                lines.append(f"{self.notation.derivative(loss, x)} = {value}")
            elements += self._some(lines)
            if any(V):
                elements.append(Sentence("which is not unique: ∂L/∂y is not in the row space of A"))
            elif self.free:
                why = "the free entries cancel, for ∂L/∂y is in the row space of A"
                elements.append(Sentence(f"which is unique: {why}"))
        inverse = " = (Aᵀ)⁻¹·∂L/∂y" if self._is_inverse else ""
        return f"The chain rule, ∂L/∂x = (∂y/∂x)ᵀ·∂L/∂y{inverse}", elements

    def differentiated_again(self) -> Step:
        """Differentiate the one equation in one unknown twice; F[i][k] is ∂²F/∂xᵢ∂xₖ, with y last."""
        second, origin, notation = self.solution.second, self.system.origin, self.notation
        assert second
        P, y = len(self.x), self.y[0]
        F: Any = [[Fraction(0)] * (P + 1)] * (P + 1) if origin is None or origin.hessian is None else origin.hessian
        J = [notation.derivative(y, x) for x in self.x]
        equations, found = [], []
        for i, x in enumerate(self.x):
            for k in range(i, P):
                name = notation.second_derivative(y, x, self.x[k])
                mixed = [(F[i][P], J[k]), (F[k][P], J[i])] if i != k else [(2 * F[i][P], J[i])]
                terms = [*mixed, (F[P][P], notation.product(J[i], J[k])), (self.system.A[0][0], name)]
                equations.append(f"0 = {notation.sum(F[i][k], terms)}")
                found.append(f"{name} = {self.notation.number(second[i][k])}")
        elements = [*self._some(equations), Sentence("with ∂y/∂x as above:"), *self._some(found)]
        return f"Differentiate again{self._where()}", elements

    def _numbers(self, matrix: Iterable[Sequence[Fraction]]) -> list[list[str]]:
        return [list(map(self.notation.number, row)) for row in matrix]

    def _jacobian(self, inputs: Sequence[str]) -> list[list[str]]:
        return [[self.notation.derivative(y, x) for x in inputs] for y in self.y]

    def _combined(self, terms: Terms) -> Expression:
        return self.notation.sum(Fraction(0), terms)

    def _sum(self, row: Sequence[Fraction], names: Sequence[str]) -> Expression:
        symbols = [self._input(name) if name in self.x else self.notation.name(name) for name in names]
        return self._combined(zip(row, symbols, strict=True))

    def _input(self, name: str) -> str:
        """Return an input, or its change if the equations are nonlinear or have constants."""
        return self.notation.change(name) if self.system.is_in_changes else self.notation.name(name)

    def _derivative(self, row: Sequence[Fraction], x: str) -> Expression:
        """Return the derivative of row·y with respect to x."""
        symbols = [self.notation.derivative(y, x) for y in self.y]
        return self._combined(zip(row, symbols, strict=True))

    def _in_free(self, constant: Fraction, V: Sequence[Fraction], x: str) -> Expression:
        """Return constant + Σ V·∂y/∂x over the free unknowns."""
        symbols = [self.notation.derivative(y, x) for y in self.free]
        return self.notation.sum(constant, zip(V, symbols, strict=True))

    @staticmethod
    def _some(lines: Sequence[str]) -> list[Element]:
        """Return the first MAX_LINES equations and the number of the others."""
        elements: list[Element] = [_equations(lines[:MAX_LINES])]
        if len(lines) > MAX_LINES:
            elements.append(Sentence(f"and {len(lines) - MAX_LINES} more like these"))
        return elements

    def _listed(self, names: Sequence[str]) -> str:
        *most, last = map(self.notation.mention, names)
        return f"{', '.join(most)} and {last}" if most else last


def _equations(lines: Iterable[str]) -> Equations:
    return Equations(tuple(Expression(in_pieces(line)) for line in lines))
