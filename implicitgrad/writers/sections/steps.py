"""Derive an answer step by step, as a textbook does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any

from implicitgrad.model.derivation import Derivation
from implicitgrad.model.implicit_equations import are_in_changes
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Arithmetic, Status
from implicitgrad.numbers.display.style import Expression
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.symbolic.function_field.element import Symbolic
from implicitgrad.text.characters import listed
from implicitgrad.writers.elements import Element, Equations, Matrices, Section, Sentence, loss_names
from implicitgrad.writers.sections.constraints import input_name

if TYPE_CHECKING:
    from implicitgrad.symbolic.equations.termwise import Factor, TermwiseDerivatives
    from implicitgrad.writers.notation import Notation, Terms

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
        self.terms = derivation.terms
        self.has_primes = self.terms is not None and len(self.x) == 1
        origin = self.system.origin
        self.is_at_point = self.terms is not None and origin is not None and bool(origin.point)
        self.is_rounded = solution.arithmetic is Arithmetic.FLOAT
        is_single = self.system.equations == self.N == 1
        self.is_solved_in_letters = self.is_at_point and is_single and solution.status is Status.DETERMINED
        """Whether ∂y/∂x is derived in letters before the point is inserted."""
        names = (self.y[0], self.x[0])
        is_one = len(self.y) == len(self.x) == 1 and all(name.isidentifier() and name.isascii() for name in names)
        # ∂y/∂x stands for all derivatives; beside an input y or an unknown x it would be taken for one
        is_misread = "y" in self.x or "x" in self.y
        self.slopes = "∂{}/∂{}".format(*names) if is_one else "the derivatives" if is_misread else "∂y/∂x"

    def all(self) -> Iterator[Step]:
        yield self.equations()
        if self.terms is None:
            yield self.differentiated()
        else:
            yield from self.differentiated_by_terms(self.terms)
        if self.system.equations > 1:
            yield self.in_matrices()
            if not self.is_rounded:
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
        if origin is not None and are_in_changes(self.system.origin):
            function = "is a function" if self.N == 1 else "are functions"
            where = Sentence(f"in which {self._listed(self.y)} {function} of {self._listed(self.x)}")
            return "The equations", [_equations(map(self.notation.as_written, origin.equations, origin.parsed)), where]
        sides = zip(self.B, self.system.A, strict=True)
        return "The equations", self._some([f"{self._inputs(b, self.x)} = {self._unknowns(a)}" for b, a in sides])

    def differentiated(self) -> Step:
        lines = []
        for k, x in enumerate(self.x):
            for a, b in zip(self.system.A, self.B, strict=True):
                lines.append(f"{self.notation.number(b[k])} = {self._derivative(a, x)}")
        return f"Differentiate both sides with respect to {self._listed(self.x)}", self._some(lines)

    def differentiated_by_terms(self, terms: TermwiseDerivatives) -> Iterator[Step]:
        """Yield the derivatives of the terms, the same with ∂y/∂x collected, and at the point, if there is one."""
        lines = [
            f"{self._side(left, x)} = {self._side(right, x)}"
            for x, equations in zip(self.x, terms.sides, strict=True)
            for left, right in equations
        ]
        elements = self._some(lines)
        if self.has_primes:
            names = ", ".join(
                " is ".join(map(self.notation.inline, (self._of(y, self.x[0]), self.notation.derivative(y, self.x[0]))))
                for y in self.y
            )
            elements.append(Sentence(f"where {names}", is_spelled=True))
        yield f"Differentiate both sides with respect to {self._listed(self.x)}, term by term", elements
        collected = self._collected(terms.A, terms.B)
        if collected != lines:
            yield "Collect the terms with derivatives on one side", self._some(collected)
        if self.is_solved_in_letters:
            slopes = zip(self.x, terms.B[0], strict=True)
            found = [f"{self._of(self.y[0], x)} = {self.notation.number(b / terms.A[0][0])}" for x, b in slopes]
            yield f"Solve for {self.slopes}", self._some(found)
        elif self.is_at_point and self.system.equations == 1:
            yield "Insert the point", self._some(self._collected(self.system.A, self.B))

    def _collected(self, A: Iterable[Sequence[Any]], B: Iterable[Sequence[Any]]) -> list[str]:
        return [
            f"{self._derivative(a, x)} = {self.notation.number(b[k])}"
            for k, x in enumerate(self.x)
            for a, b in zip(_bounded(A), _bounded(B), strict=True)
        ]

    def _side(self, side: Sequence[Factor], x: str) -> Expression:
        """Return the sum of the derivatives of one side's terms with respect to x."""
        names = [self._of(y, x) for y in self.y]
        return self._combined([(factor, "" if j is None else names[j]) for factor, j in side])

    def _of(self, y: str, x: str) -> str:
        """Return the derivative of an unknown: y′ for nonlinear equations with one input, else ∂y/∂x."""
        return self.notation.prime(y) if self.has_primes else self.notation.derivative(y, x)

    def in_matrices(self) -> Step:
        pieces = (self._numbers(self.system.A), " · ", self._jacobian(self.x), " = ", self._numbers(self.B))
        where = "At the point" if self.is_at_point else "Together"
        return f"{where}, A·∂y/∂x = {self.right}", [Matrices(pieces)]

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
            elements.append(_equations(f"{row} ← {self._combined(terms)}" for row, terms in replaced))
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
                f"0 = {self._inputs(row[self.N :], self.x)}"
                for row in self.derivation.rows
                if not any(row[: self.N]) and any(row[self.N :])
            ]
        )
        elements.append(Sentence("no ∂y/∂x satisfies all of these, unless x moves along:"))
        by_name = dict(zip(found.dependent, found.matrix, strict=True))
        elements += self._some(
            [f"{self._input(name)} = {self._inputs(row, independent)}" for name, row in by_name.items()]
        )
        title = "What remains of the equations has no y"
        if not independent:
            return title, [*elements, Sentence("no input can vary: there are no derivatives")]
        T = [by_name.get(x, [Fraction(x == other) for other in independent]) for x in self.x]
        right = "T" if self.system.B is None else "B·T"
        text = f"{self._listed(independent)} may vary, the others follow: A·∂y/∂x = {right}, with:"
        return title, [*elements, Sentence(text), Matrices(("T = ", self._numbers(T)))]

    def unique(self) -> Step:
        independent, J = self.solution.independent, self._numbers(self.solution.general.particular)
        title = "Read off ∂y/∂x" + (" = A⁻¹" if self._is_inverse else "")
        if self.system.equations == 1 or self.is_rounded:
            is_inserted = self.is_solved_in_letters or (self.is_rounded and self.N == 1)
            title = "Insert the point" if is_inserted else f"Solve for {self.slopes}"
        names = self._jacobian(independent)
        if len(J) == 1:
            return title, self._some([f"{name} = {value}" for name, value in zip(names[0], J[0], strict=True)])
        return title, [Matrices((names, " = ", J))]

    @property
    def _is_inverse(self) -> bool:
        return self.solution.status is Status.DETERMINED and self.system.B is None

    def solved(self) -> Step:
        general, independent = self.solution.general, self.solution.independent
        free = [self._of(y, x) for y in self.free for x in independent]
        lines = []
        for k, x in enumerate(independent):
            for y, constants, V in zip(self.y, *map(_bounded, (general.particular, general.null_space)), strict=True):
                if y not in self.free:
                    lines.append(f"{self._of(y, x)} = {self._in_free(constants[k], V, x)}")
        fails = self.solution.theorem_fails
        elements: list[Element] = [Sentence("this leaves open:" if fails else "these may be anything:")]
        elements.append(_equations([", ".join(free[:MAX_LINES]) + (", ..." if len(free) > MAX_LINES else "")]))
        if lines:
            elements.append(Sentence("and the others follow from them:"))
        title = f"Solve for {self.slopes}" if self.system.equations == 1 else "Read off the general solution"
        return title, [*elements, *self._some(lines)]

    def chain_rule(self) -> Step:
        general, gradients = self.solution.general, self.system.dL_dy
        assert gradients is not None
        assert general.dL_dx_particular is not None
        assert general.dL_dx_coefficients is not None
        elements: list[Element] = []
        rows = zip(gradients, *map(_bounded, (general.dL_dx_particular, general.dL_dx_coefficients)), strict=True)
        for loss, (g, particular, V) in zip(loss_names(len(gradients)), rows, strict=True):
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
        if self.terms is not None and self.terms.second is not None and self.terms.hessian is not None:
            return self._second_by_primes(self.terms.hessian, self.terms.second)
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
                found.append(f"{name} = {notation.number(_bounded(second)[i][k])}")
        elements = [*self._some(equations), Sentence(f"with {self.slopes} as above:"), *self._some(found)]
        return "Differentiate again", elements

    def _second_by_primes(self, hessian: Sequence[Any], second: Fraction) -> Step:
        """Differentiate one equation in one unknown and one input twice, and keep y′ as a letter."""
        assert self.terms is not None
        assert self.solution.second
        notation, (F_xx, F_xy, F_yy) = self.notation, hessian
        slope, name = notation.prime(self.y[0]), notation.prime(self.y[0], 2)
        terms = [(2 * F_xy, slope), (F_yy, notation.product(slope, slope)), (self.terms.A[0][0], name)]
        value = notation.number(_bounded(self.solution.second)[0][0])
        solved = [f"{name} = {notation.number(second)}"]
        if solved[0] != f"{name} = {value}":
            solved.append(f"{name} = {value}")
        where = " and the point" if self.is_at_point else ""
        elements: list[Element] = [_equations([f"{notation.sum(F_xx, terms)} = 0", solved[0]])]
        if solved[1:]:
            inserted = "inserted:"
            with_slope = self.terms.second_with_slope
            if not self.is_at_point and with_slope is not None and notation.number(with_slope) != value:
                inserted = "inserted, and simplified by the equation itself:"
            elements += [Sentence(f"with {self.slopes}{where} {inserted}"), _equations(solved[1:])]
        return "Differentiate again, and solve", elements

    def _numbers(self, matrix: Iterable[Sequence[Fraction]]) -> list[list[str]]:
        return self.notation.matrix(_bounded(matrix))

    def _jacobian(self, inputs: Sequence[str]) -> list[list[str]]:
        return [[self._of(y, x) for x in inputs] for y in self.y]

    def _combined(self, terms: Terms) -> Expression:
        return self.notation.sum(Fraction(0), terms)

    def _unknowns(self, row: Sequence[Fraction]) -> Expression:
        return self._combined(zip(row, map(self.notation.name, self.y), strict=True))

    def _inputs(self, row: Sequence[Fraction], names: Sequence[str]) -> Expression:
        return self._combined(zip(row, map(self._input, names), strict=True))

    def _input(self, name: str) -> str:
        """Return an input, or its change if the equations are nonlinear or have constants."""
        spell = self.notation.change if are_in_changes(self.system.origin) else self.notation.name
        return spell(input_name(self.system, name))

    def _derivative(self, row: Sequence[Fraction], x: str) -> Expression:
        """Return the derivative of row·y with respect to x."""
        symbols = [self._of(y, x) for y in self.y]
        return self._combined(zip(row, symbols, strict=True))

    def _in_free(self, constant: Fraction, V: Sequence[Fraction], x: str) -> Expression:
        """Return constant + Σ V·∂y/∂x over the free unknowns."""
        symbols = [self._of(y, x) for y in self.free]
        return self.notation.sum(constant, zip(V, symbols, strict=True))

    @staticmethod
    def _some(lines: Sequence[str]) -> list[Element]:
        """Return the first MAX_LINES equations and the number of the others."""
        elements: list[Element] = [_equations(lines[:MAX_LINES])]
        if len(lines) > MAX_LINES:
            elements.append(Sentence(f"and {len(lines) - MAX_LINES} more like these"))
        return elements

    def _listed(self, names: Sequence[str]) -> str:
        return listed(map(self.notation.mention, names))


def _equations(lines: Iterable[str]) -> Equations:
    return Equations(tuple(Expression.of(re.sub("= ≈(?=-?[0-9])", "≈ ", line)) for line in lines))


def _bounded(matrix: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    """Return the rows of a matrix, with doubles as Balls."""
    return list(matrix.bounded_rows() if isinstance(matrix, BaseMatrix) else matrix)
