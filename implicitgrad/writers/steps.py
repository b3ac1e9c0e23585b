"""The derivation of an answer, step by step, as a note would have it, in plain text or in LaTeX.

The steps are the same in both: which words, which equations, which matrices. A script spells them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

from implicitgrad.model.solution import Derivation, Solution, Status
from implicitgrad.numbers.formatting import linear, second_derivative, show_number
from implicitgrad.symbolic.element import Symbolic
from implicitgrad.text.characters import printable
from implicitgrad.writers.latex_math import (
    SPELLED,
    spell_column,
    spell_matrix,
    spell_name,
    spell_second_derivative,
    spell_sum,
    verbatim,
)

MAX_LINES = 9
"""Of equations that are alike."""
Terms = Iterable[tuple[Fraction, str]]


class StepPart(NamedTuple):
    """A sentence, an equation, or matrices side by side."""

    kind: str
    """words, spelled (words with mathematics in them, in the script), equation or matrices."""
    text: str


class Step(NamedTuple):
    """A heading and what stands under it."""

    title: str
    parts: list[StepPart]


class Script(Protocol):
    """How mathematics is spelled."""

    def name(self, name: str) -> str:
        """An unknown, an input or a loss."""
        ...

    def derivative(self, above: str, below: str) -> str:
        """∂above/∂below, of names as they are."""
        ...

    def second(self, above: str, below: str, other: str) -> str:
        """∂²above/∂below∂other, of names as they are."""
        ...

    def product(self, one: str, other: str) -> str:
        """Of what is spelled."""
        ...

    def sum(self, constant: Fraction, terms: Terms) -> str:
        """constant + Σ coefficient·symbol, of symbols that are spelled."""
        ...

    def number(self, value: Fraction) -> str:
        """A number."""
        ...

    def written(self, equation: str) -> str:
        """An equation as the user wrote it."""
        ...

    def inline(self, mathematics: str) -> str:
        """What is spelled, among words."""
        ...

    def mention(self, name: str) -> str:
        """A name among words that are yet to be spelled."""
        ...

    def change(self, name: str) -> str:
        """A small change of an input."""
        ...

    def becomes(self, row: str, new: str) -> str:
        """That a row is replaced."""
        ...

    def side_by_side(self, *pieces: str | Sequence[Sequence[str]]) -> str:
        """Matrices, and what stands between them."""
        ...


class Plain:
    """In text, ∂y1/∂x1, matrices on lines of their own."""

    def __init__(self, label: Callable[[str], str], digits: int) -> None:
        self.label, self.digits = label, digits

    def name(self, name: str) -> str:
        """As it is labelled."""
        return self.label(name)

    def derivative(self, above: str, below: str) -> str:
        """∂above/∂below"""
        return f"∂{self.name(above)}/∂{self.name(below)}"

    def second(self, above: str, below: str, other: str) -> str:
        """∂²above/∂below∂other"""
        return second_derivative(*map(self.name, (above, below, other)))

    def product(self, one: str, other: str) -> str:
        """With a dot between, or squared."""
        return f"({one})²" if one == other else f"{one}·{other}"

    def sum(self, constant: Fraction, terms: Terms) -> str:
        """constant + Σ coefficient·symbol"""
        return str(linear(constant, terms, self.digits))

    def number(self, value: Fraction) -> str:
        """A number, without blanks around it."""
        return show_number(value, self.digits).strip()

    def written(self, equation: str) -> str:
        """As it was, in typographic signs."""
        return equation.replace("**", "^").replace("*", "·").replace(" - ", " − ")

    def inline(self, mathematics: str) -> str:
        """As it is."""
        return mathematics

    def mention(self, name: str) -> str:
        """In a sentence, which is escaped as a whole."""
        return printable(name)

    def change(self, name: str) -> str:
        """dx"""
        return f"d{self.name(name)}"

    def becomes(self, row: str, new: str) -> str:
        """(1) ← ..."""
        return f"{row} ← {new}"

    def side_by_side(self, *pieces: str | Sequence[Sequence[str]]) -> str:
        """Rows in brackets, one below the other."""
        height = max(len(piece) for piece in pieces if not isinstance(piece, str))
        lines = [""] * height
        for piece in pieces:
            texts = self._texts(piece, height)
            lines = [line + text for line, text in zip(lines, texts, strict=True)]
        return "\n".join(line.rstrip() for line in lines)

    @staticmethod
    def _texts(piece: str | Sequence[Sequence[str]], height: int) -> list[str]:
        if isinstance(piece, str):
            return [piece if i == (height - 1) // 2 else " " * len(piece) for i in range(height)]
        widths = [max(map(len, column)) for column in zip(*piece, strict=True)]
        rows = [f"[{'  '.join(text.rjust(w) for text, w in zip(row, widths, strict=True))}]" for row in piece]
        return rows + [" " * len(rows[0])] * (height - len(rows))


class Latex:
    """In LaTeX, for amsmath."""

    def __init__(self, digits: int) -> None:
        self.digits = digits

    def name(self, name: str) -> str:
        """y_{1}"""
        return spell_name(name)

    def derivative(self, above: str, below: str) -> str:
        """∂above/∂below"""
        return f"\\frac{{\\partial {spell_name(above)}}}{{\\partial {spell_name(below)}}}"

    def second(self, above: str, below: str, other: str) -> str:
        """∂²above/∂below∂other"""
        return spell_second_derivative(*map(spell_name, (above, below, other)))

    def product(self, one: str, other: str) -> str:
        """Side by side, or squared."""
        return f"\\left({one}\\right)^2" if one == other else f"{one} {other}"

    def sum(self, constant: Fraction, terms: Terms) -> str:
        """constant + Σ coefficient·symbol"""
        return spell_sum(constant, terms, self.digits)

    def number(self, value: Fraction) -> str:
        """A number."""
        return spell_column([value], self.digits)[0]

    def written(self, equation: str) -> str:
        """Set, and not simplified more than sympy does of itself."""
        try:
            from implicitgrad.symbolic.to_sympy import equation_in_latex
        except ImportError:  # a linear one, which was read without sympy
            return verbatim(equation)
        return equation_in_latex(equation, spell_name)

    def inline(self, mathematics: str) -> str:
        """Between dollars."""
        return f"${mathematics}$"

    def mention(self, name: str) -> str:
        """Marked as mathematics."""
        return f"{SPELLED}{spell_name(name)}{SPELLED}"

    def change(self, name: str) -> str:
        """dx"""
        return f"\\mathrm{{d}}{spell_name(name)}"

    def becomes(self, row: str, new: str) -> str:
        """(1) ← ..."""
        return f"{row} \\leftarrow {new}"

    def side_by_side(self, *pieces: str | Sequence[Sequence[str]]) -> str:
        """Each matrix as a pmatrix."""
        return " ".join(
            piece.replace("·", "").strip() if isinstance(piece, str) else spell_matrix(piece) for piece in pieces
        )


def derive(solution: Solution, script: Script) -> list[Step]:
    """The steps to an answer that has a derivation."""
    assert solution.derivation is not None
    return _Steps(solution, solution.derivation, script).all()


class _Steps:
    def __init__(self, solution: Solution, derivation: Derivation, script: Script) -> None:
        self.solution, self.system, self.derivation, self.script = solution, solution.system, derivation, script
        self.x, self.y = solution.x, solution.y
        self.M, self.N = self.system.equations, self.system.unknowns
        M = self.M
        self.B: Any = self.system.B or [[Fraction(i == k) for k in range(M)] for i in range(M)]
        self.right = "I" if self.system.B is None else "B"
        self.free = solution.general.free

    def all(self) -> list[Step]:
        steps = [self.equations(), self.differentiated()]
        if self.M * self.N > 1:
            steps.append(self.together())
        steps.append(self.reduced())
        if self.solution.constraints is not None:
            steps.append(self.constrained())
        if self.solution.independent:
            steps.append(self.solved())
            if self.system.dL_dy is not None:
                steps.append(self.chain_rule())
        if self.solution.second:
            steps.append(self.differentiated_again())
        return steps

    def equations(self) -> Step:
        origin = self.system.origin
        if origin is not None and self.system.is_in_changes:
            parts = [StepPart("equation", self.script.written(equation)) for equation in origin.equations]
            function = "is a function" if self.N == 1 else "are functions"
            parts.append(StepPart("words", f"in which {self._listed(self.y)} {function} of {self._listed(self.x)}"))
            return Step("The equations", parts)
        lines = [f"{self._sum(b, self.x)} = {self._sum(a, self.y)}" for a, b in zip(self.system.A, self.B, strict=True)]
        return Step("The equations", self._some(lines))

    def differentiated(self) -> Step:
        lines = []
        for k, x in enumerate(self.x):
            for a, b in zip(self.system.A, self.B, strict=True):
                lines.append(f"{self.script.number(b[k])} = {self._derivatives(a, x)}")
        return Step(f"Differentiate both sides by {self._listed(self.x)}{self._where()}", self._some(lines))

    def _where(self) -> str:
        origin = self.system.origin
        return ", at the point" if self.system.is_local and origin is not None and origin.point else ""

    def together(self) -> Step:
        A = [[self.script.number(entry) for entry in row] for row in self.system.A]
        B = [[self.script.number(entry) for entry in row] for row in self.B]
        J = [[self.script.derivative(y, x) for x in self.x] for y in self.y]
        matrices = self.script.side_by_side(A, " · ", J, " = ", B)
        return Step(f"Together, A·∂y/∂x = {self.right}", [StepPart("matrices", matrices)])

    def reduced(self) -> Step:
        parts = []
        for pivot in self.derivation.pivots:
            if pivot.column >= self.N:
                continue
            own = f"({pivot.row + 1})"
            value, name = self.script.number(pivot.value), self.script.name(self.y[pivot.column])
            inline = self.script.inline
            parts.append(StepPart("spelled", f"pivot {inline(value)} for {inline(name)}, in equation {own}"))
            if pivot.value != 1:
                parts.append(StepPart("equation", self.script.becomes(own, self._row([(1 / pivot.value, own)]))))
            for row, factor in pivot.factors:
                other = f"({row + 1})"
                new = self._row([(Fraction(1), other), (-factor, own)])
                parts.append(StepPart("equation", self.script.becomes(other, new)))
        if any(isinstance(pivot.value, Symbolic) and not pivot.value.is_number for pivot in self.derivation.pivots):
            parts.append(StepPart("words", "supposing that no pivot is 0; where one is, another is taken"))
        return Step(f"Row reduce [A | {self.right}], the last unknown first", [*parts, StepPart("words", self._rank())])

    def _row(self, terms: Terms) -> str:
        return self.script.sum(Fraction(0), terms)

    def _rank(self) -> str:
        said = f"the rank of A is {self.solution.rank}"
        if not self.free:
            return f"{said}: every unknown has a pivot"
        has = "has no pivot and is" if len(self.free) == 1 else "have no pivots and are"
        return f"{said}: {self._listed(self.free)} {has} free"

    def constrained(self) -> Step:
        found = self.solution.constraints
        assert found is not None
        lines = [
            f"0 = {self._sum(row[self.N :], self.x)}"
            for row in self.derivation.rows
            if not any(row[: self.N]) and any(row[self.N :])
        ]
        parts = self._some(lines)
        parts.append(StepPart("words", "so that no ∂y/∂x satisfies them all, unless x moves along:"))
        parts += self._some(
            [
                f"{self._input(name)} = {self._sum(row, self.solution.independent)}"
                for name, row in zip(found.dependent, found.matrix, strict=True)
            ]
        )
        if not self.solution.independent:
            parts.append(StepPart("words", "then no input can vary: there is nothing to differentiate by"))
            return Step("What is left of the equations has no y", parts)
        by = dict(zip(found.dependent, found.matrix, strict=True))
        independent = self.solution.independent
        T = [
            [self.script.number(entry) for entry in by.get(x, [Fraction(x == other) for other in independent])]
            for x in self.x
        ]
        parts.append(
            StepPart(
                "words", f"{self._listed(independent)} may vary, the others follow: A·∂y/∂x = {self._along()}, with:"
            )
        )
        parts.append(StepPart("matrices", self.script.side_by_side("T = ", T)))
        return Step("What is left of the equations has no y", parts)

    def _along(self) -> str:
        return "T" if self.system.B is None else "B·T"

    def solved(self) -> Step:
        general, independent = self.solution.general, self.solution.independent
        if not self.free:
            is_inverse = self.solution.status is Status.DETERMINED and self.system.B is None
            title = "Read off ∂y/∂x" + (" = A⁻¹" if is_inverse else "")
            J = [[self.script.number(entry) for entry in row] for row in general.particular]
            if len(J) == len(J[0]) == 1:
                return Step(
                    title, [StepPart("equation", f"{self.script.derivative(self.y[0], independent[0])} = {J[0][0]}")]
                )
            above = [[self.script.derivative(y, x) for x in independent] for y in self.y]
            return Step(title, [StepPart("matrices", self.script.side_by_side(above, " = ", J))])
        free = [self.script.derivative(y, x) for y in self.free for x in independent]
        lines = []
        for k, x in enumerate(independent):
            for y, constants, V in zip(self.y, general.particular, general.null_space, strict=True):
                if y not in self.free:
                    terms = [(v, self.script.derivative(f, x)) for v, f in zip(V, self.free, strict=True)]
                    lines.append(f"{self.script.derivative(y, x)} = {self.script.sum(constants[k], terms)}")
        parts = [StepPart("words", "these may be anything:")]
        parts += [StepPart("equation", ", ".join(free[:MAX_LINES]) + (", ..." if len(free) > MAX_LINES else ""))]
        if lines:
            parts.append(StepPart("words", "and the others follow from them:"))
        return Step("Read off the general solution", [*parts, *self._some(lines)])

    def chain_rule(self) -> Step:
        general, gradients = self.solution.general, self.system.dL_dy
        assert gradients is not None
        assert general.dL_dx_particular is not None
        assert general.dL_dx_coefficients is not None
        is_inverse = self.solution.status is Status.DETERMINED and self.system.B is None
        title = "The chain rule, ∂L/∂x = (∂y/∂x)ᵀ·∂L/∂y" + (" = (Aᵀ)⁻¹·∂L/∂y" if is_inverse else "")
        parts: list[StepPart] = []
        rows = zip(gradients, general.dL_dx_particular, general.dL_dx_coefficients, strict=True)
        for number, (g, particular, V) in enumerate(rows, start=1):
            loss = "L" if len(gradients) == 1 else f"L{number}"
            lines = []
            for k, x in enumerate(self.solution.independent):
                terms = [(v, self.script.derivative(f, x)) for v, f in zip(V, self.free, strict=True)]
                left = self.script.derivative(loss, x)
                lines.append(f"{left} = {self._derivatives(g, x)} = {self.script.sum(particular[k], terms)}")
            parts += self._some(lines)
            if any(V):
                parts.append(StepPart("words", "which is not unique: ∂L/∂y is not in the row space of A"))
            elif self.free:
                parts.append(
                    StepPart("words", "which is unique: what is free cancels, for ∂L/∂y is in the row space of A")
                )
        return Step(title, parts)

    def differentiated_again(self) -> Step:
        """Of the one equation in one unknown, with F_ik for ∂²F/∂xᵢ∂xₖ and y last."""
        second, origin, script = self.solution.second, self.system.origin, self.script
        assert second
        P, y = len(self.x), self.y[0]
        nothing = [[Fraction(0)] * (P + 1)] * (P + 1)
        F: Any = nothing if origin is None or origin.hessian is None else origin.hessian
        J = [script.derivative(y, x) for x in self.x]
        equations, found = [], []
        for i, x in enumerate(self.x):
            for k in range(i, P):
                name = script.second(y, x, self.x[k])
                mixed = [(F[i][P], J[k]), (F[k][P], J[i])] if i != k else [(2 * F[i][P], J[i])]
                terms = [*mixed, (F[P][P], script.product(J[i], J[k])), (self.system.A[0][0], name)]
                equations.append(f"0 = {script.sum(F[i][k], terms)}")
                found.append(f"{name} = {script.number(second[i][k])}")
        parts = [*self._some(equations), StepPart("words", "with ∂y/∂x as above:"), *self._some(found)]
        return Step(f"Differentiate again{self._where()}", parts)

    def _sum(self, row: Sequence[Fraction], names: Sequence[str]) -> str:
        spelled = [self._input(name) if name in self.x else self.script.name(name) for name in names]
        return self.script.sum(Fraction(0), zip(row, spelled, strict=True))

    def _input(self, name: str) -> str:
        """An input; where the equations are nonlinear or have constants, a change of it."""
        return self.script.change(name) if self.system.is_in_changes else self.script.name(name)

    def _derivatives(self, row: Sequence[Fraction], x: str) -> str:
        terms = [(value, self.script.derivative(y, x)) for value, y in zip(row, self.y, strict=True)]
        return self.script.sum(Fraction(0), terms)

    @staticmethod
    def _some(lines: Sequence[str]) -> list[StepPart]:
        """The lines, or as many as one reads."""
        parts = [StepPart("equation", line) for line in lines[:MAX_LINES]]
        if len(lines) > MAX_LINES:
            parts.append(StepPart("words", f"and {len(lines) - MAX_LINES} more like these"))
        return parts

    def _listed(self, names: Sequence[str]) -> str:
        *most, last = map(self.script.mention, names)
        return f"{', '.join(most)} and {last}" if most else last
