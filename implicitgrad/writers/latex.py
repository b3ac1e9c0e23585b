r"""The answer in LaTeX, to be put into a paper that loads amsmath: pmatrix, \partial, numbers as in the table."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import compress

from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Matrix
from implicitgrad.symbolic.element import Symbolic
from implicitgrad.text.characters import printable
from implicitgrad.text.number_grammar import is_number
from implicitgrad.writers.document import Document, nonzero_entries, numbers_of, refuse_long
from implicitgrad.writers.latex_math import (
    MAX_NAMES,
    ROUGHLY,
    SPELLED,
    displayed,
    sentence,
    spell_column,
    spell_jacobian,
    spell_matrix,
    spell_name,
    spell_number,
    spell_second_derivative,
    spell_sum,
    spell_tuple,
    spell_vector,
    words,
)
from implicitgrad.writers.steps import Latex, Step, derive

USUAL_COLUMNS = 10
"""As many as amsmath's matrices have unless told otherwise."""


def write_latex(solution: Solution, digits: int = 6) -> str:
    """The question and the answer as displayed equations. digits : the significant digits of a decimal."""
    refuse_long(solution)
    answer = Document(solution, printable, digits)
    writer = _LatexWriter(solution, digits)
    title, *question = answer.question()
    columns = max(len(solution.x), len(solution.y))
    lines = [f"% {', '.join([title, *question])}", f"% {' '.join(answer.findings())}"]
    lines.append("% needs \\usepackage{amsmath}")
    if columns > USUAL_COLUMNS:
        lines.append(rf"\setcounter{{MaxMatrixCols}}{{{columns}}}")
    if solution.derivation is not None:
        lines += _steps(derive(solution, Latex(digits)))
    else:
        lines += [*_tables(solution, answer, writer), *displayed(writer.second())]
    lines += [sentence(text) for text in answer.validity(_compared)]
    lines += [sentence(warning) for warning in answer.warnings()]
    return "\n".join(lines) + "\n"


def _compared(value: Symbolic, sign: str) -> str:
    relation = "=" if sign == "=" else "\\neq"
    return f"{SPELLED}{value.latex(spell_name)} {relation} 0{SPELLED}"


def _tables(solution: Solution, answer: Document, writer: _LatexWriter) -> list[str]:
    """The question and the answer."""
    lines = writer.question()
    if solution.constraints is not None:
        lines += writer.constraints()
        lines.append(sentence(answer.direction()))
    if solution.independent:
        lines += writer.general()
        lines += [sentence(f"{line.label} is {line.note}") for line in answer.general().losses if line.note]
        if unconstrained := answer.unconstrained():
            lines.append(words(unconstrained) + ".\n")  # it begins with a name
        if answer.shows_a_choice:
            lines.append(sentence("one choice of many, the minimum-norm one:"))
            lines += writer.minimum_norm()
    return lines


def _steps(steps: Sequence[Step]) -> list[str]:
    lines = []
    for number, step in enumerate(steps, start=1):
        lines.append(f"\\medskip\\noindent\\textbf{{{number}. {words(step.title)}.}}\n")
        for part in step.parts:
            if part.kind in ("equation", "matrices"):
                lines += displayed([part.text])
            elif part.kind == "words":
                lines.append(sentence(part.text))
            else:
                lines.append(part.text[:1].upper() + part.text[1:] + ".\n")
    return lines


class _LatexWriter:
    """The equations of one answer."""

    def __init__(self, solution: Solution, digits: int) -> None:
        self.solution, self.system, self.digits = solution, solution.system, digits
        self.x, self.y = list(map(spell_name, solution.x)), list(map(spell_name, solution.y))
        self.inputs = list(map(spell_name, solution.independent))
        self.free = list(map(spell_name, solution.general.free))

    def question(self) -> list[str]:
        """B x = A y, or F(x, y) = 0, with the matrices and the names, and ∂L/∂y."""
        system = self.system
        matrices = [("A", system.A)] + ([] if system.B is None else [("B", system.B)])
        x, y = ("\\mathrm{d}x", "\\mathrm{d}y") if system.is_in_changes else ("x", "y")
        parts = [f"{x} = A\\,{y}" if system.B is None else f"B\\,{x} = A\\,{y}"]
        if self.system.is_local:
            parts = []
            matrices = [
                (f"A = \\frac{{\\partial F}}{{\\partial {spell_tuple(self.y, 'y')}}}", system.A),
                (f"B = -\\frac{{\\partial F}}{{\\partial {spell_tuple(self.x, 'x')}}}", system.B or self._identity()),
            ]
        lines = [", \\quad\n".join([*parts, *(f"{key} = {self._matrix(matrix)}" for key, matrix in matrices)])]
        if self.system.is_local:
            lines[:0] = self._equations()
        if not self.system.is_local or max(len(self.x), len(self.y)) > MAX_NAMES:
            lines.append(f"x = {spell_vector(self.x)}, \\quad y = {spell_vector(self.y)}")
        if system.dL_dy is not None:
            lines.append(f"\\frac{{\\partial {self._losses()}}}{{\\partial y}} = {self._matrix(system.dL_dy)}")
        return displayed(lines)

    def _equations(self) -> list[str]:
        """The nonlinear equations as they were written, and the point."""
        from implicitgrad.symbolic.to_sympy import equation_in_latex

        origin = self.system.origin
        assert origin is not None
        lines = [equation_in_latex(equation, spell_name) for equation in origin.equations]
        if origin.point:
            lines[-1] += f" \\quad \\text{{at }} {', '.join(self._value(name, value) for name, value in origin.point)}"
        return lines

    def _value(self, name: str, value: str) -> str:
        """What a name is at the point, as it was written."""
        from implicitgrad.symbolic.to_sympy import expression_in_latex

        origin = self.system.origin
        assert origin is not None
        if origin.residual != "0" and name in origin.found:
            return (
                f"{spell_name(name)} \\approx {spell_column([Fraction(value)], self.digits)[0].removeprefix(ROUGHLY)}"
            )
        spelled = spell_number(value) if is_number(value) else expression_in_latex(value, spell_name)
        return f"{spell_name(name)} = {spelled}"

    def _identity(self) -> Matrix:
        M = self.system.equations
        return [tuple(Fraction(i == k) for k in range(M)) for i in range(M)]

    def constraints(self) -> list[str]:
        """What x must satisfy; where the equations are nonlinear or have constants, its changes."""
        found = self.solution.constraints
        assert found is not None
        d = "\\mathrm{d}" if self.system.is_in_changes else ""
        inputs = [d + name for name in self.inputs]
        rows = zip(found.dependent, numbers_of(found.matrix), strict=True)
        return displayed(
            [
                f"{d}{spell_name(name)} = {spell_sum(Fraction(0), zip(row, inputs, strict=True), self.digits)}"
                for name, row in rows
            ]
        )

    def general(self) -> list[str]:
        """∂y/∂x and ∂L/∂x, what is not determined in terms of the free entries."""
        general = self.solution.general
        lines = []
        if not self.solution.is_gradient_alone:
            is_free = [name in set(self.solution.general.free) for name in self.solution.y]
            rows = self._combined(general.particular, general.null_space, is_free)
            lines.append(f"{spell_jacobian(self.y, self.inputs)} = {spell_matrix(rows)}")
        if general.dL_dx_particular is not None and general.dL_dx_coefficients is not None:
            rows = self._combined(general.dL_dx_particular, general.dL_dx_coefficients, [])
            lines.append(f"{spell_jacobian([self._losses()], self.inputs)} = {spell_matrix(rows)}")
        return displayed(lines)

    def minimum_norm(self) -> list[str]:
        """The choice of least norm."""
        J = self.solution.general.minimum_norm
        return displayed([f"{spell_jacobian(self.y, self.inputs)} = {self._matrix(J)}"])

    def second(self) -> list[str]:
        """∂²y/∂x², if it was asked for."""
        found = []
        y = spell_name(self.solution.y[0])
        for i, row in enumerate(numbers_of(self.solution.second or ())):
            for k, value in enumerate(row):
                if k >= i:
                    name = spell_second_derivative(y, self.x[i], self.x[k])
                    found.append(f"{name} = {spell_column([value], self.digits)[0]}")
        return found

    def _losses(self) -> str:
        K = len(self.system.dL_dy or ())
        return "L" if K == 1 else spell_tuple([f"L_{{{k + 1}}}" for k in range(K)], "L")

    def _matrix(self, matrix: Matrix) -> str:
        return spell_matrix(self._rows(matrix))

    def _rows(self, matrix: Matrix | None) -> list[list[str]]:
        columns = [spell_column(column, self.digits) for column in zip(*numbers_of(matrix or ()), strict=True)]
        return [list(row) for row in zip(*columns, strict=True)]

    def _combined(self, particular: Matrix, coefficients: Matrix, is_free: list[bool]) -> list[list[str]]:
        """particular + coefficients·Z; a free row is its own entries."""
        rows = list(zip(numbers_of(particular), nonzero_entries(coefficients, is_free), strict=True))
        columns = []
        for k, x in enumerate(self.inputs):
            is_plain = [not V and not (is_free and is_free[i]) for i, (_, V) in enumerate(rows)]
            plain = iter(spell_column([J[k] for J, _ in compress(rows, is_plain)], self.digits))
            parameters = [f"\\frac{{\\partial {y}}}{{\\partial {x}}}" for y in self.free]
            column = []
            for i, (J, V) in enumerate(rows):
                if is_free and is_free[i]:
                    column.append(f"\\frac{{\\partial {self.y[i]}}}{{\\partial {x}}}")
                elif V:
                    terms = [(value, parameters[f]) for f, value in V]
                    column.append(spell_sum(J[k], terms, self.digits))
                else:
                    column.append(next(plain))
            columns.append(column)
        return [list(row) for row in zip(*columns, strict=True)]
