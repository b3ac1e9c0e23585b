r"""The answer in LaTeX, to be put into a paper that loads amsmath: pmatrix, \partial, numbers as in the table."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from implicitgrad.model.solution import Solution
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.numbers.formatting import Expression
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.numbers.number_form import DEFAULT, NumberOptions
from implicitgrad.text.number_grammar import is_number
from implicitgrad.writers.document import Document, refuse_long
from implicitgrad.writers.elements import OPEN, Element, Equations, Matrices, Sentence
from implicitgrad.writers.notation import matrix_of
from implicitgrad.writers.pages.latex_notation import (
    MAX_NAMES,
    ROUGHLY,
    LatexNotation,
    displayed,
    sentence,
    spell_jacobian,
    spell_matrix,
    spell_name,
    spell_number,
    spell_tuple,
    spell_vector,
    words,
)

if TYPE_CHECKING:
    from implicitgrad.model.selection import Selection
    from implicitgrad.symbolic.grammar.expressions import Node
    from implicitgrad.writers.options import AnySolution, WriteOptions

USUAL_COLUMNS = 10
"""The most columns of amsmath's matrices unless MaxMatrixCols is set."""


def write_latex(solution: Solution, options: NumberOptions = DEFAULT, selection: Selection | None = None) -> str:
    """Return the question and the document for amsmath. selection : rows and columns of ∂y/∂x; None for all."""
    return "\n".join(_LatexPage(solution, options, selection).lines()) + "\n"


class _LatexPage:
    """The question and the document of one solution."""

    def __init__(self, solution: Solution, options: NumberOptions, selection: Selection | None) -> None:
        self.solution, self.system = solution, solution.system
        self.notation = LatexNotation(options)
        self.document = Document(solution, self.notation, selection)
        refuse_long(self.document)
        self.x, self.y = list(map(spell_name, solution.x)), list(map(spell_name, solution.y))
        self.losses = "L"
        if (K := len(self.system.dL_dy or ())) != 1:
            self.losses = spell_tuple([f"L_{{{k + 1}}}" for k in range(K)], "L")

    def lines(self) -> Iterator[str]:
        title, *question = self.document.question()
        yield f"% {', '.join([title, *question])}"
        yield f"% {' '.join(self.document.findings())}"
        yield "% needs \\usepackage{amsmath}"
        if (columns := max(len(self.x), len(self.y))) > USUAL_COLUMNS:
            yield rf"\setcounter{{MaxMatrixCols}}{{{columns}}}"
        if self.solution.derivation is None:
            yield from self._question()
        for section in self.document.sections():
            if section.heading:
                yield f"\\medskip\\noindent\\textbf{{{words(section.heading)}.}}\n"
            for element in section.elements:
                yield from self._element(element)

    def _element(self, element: Element) -> Iterator[str]:
        if isinstance(element, Sentence):
            is_spelled = element.is_spelled
            yield f"{element.text[:1].upper()}{element.text[1:]}.\n" if is_spelled else sentence(element.text)
        elif isinstance(element, Equations):
            yield from displayed(map(str, element.lines))
        elif isinstance(element, Matrices):
            yield from displayed([element.text])
        elif element.corner != "∂y/∂x":
            above, _, below = element.corner.removeprefix("∂").partition("/∂")
            symbol = self.notation.derivative(above, below)
            if above.startswith("²"):
                symbol = self.notation.second_derivative(above[1:], "x", "x")
            matrix = spell_matrix([[_cell(cell) for cell in row.cells] for row in element.rows])
            yield from displayed([f"{symbol} = {matrix}"])
        else:
            shown = self.document.shown
            inputs, unknowns = list(map(spell_name, shown.x)), list(map(spell_name, shown.y))
            for names, rows in ((unknowns, element.rows), ([self.losses], element.losses)):
                if rows:
                    matrix = spell_matrix([list(map(str, row.cells)) for row in rows])
                    yield from displayed([f"{spell_jacobian(names, inputs)} = {matrix}"])
            yield from map(sentence, element.notes())

    def _question(self) -> list[str]:
        """Return B x = A y or F(x, y) = 0, with the matrices, the names and ∂L/∂y."""
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
            lines.append(f"\\frac{{\\partial {self.losses}}}{{\\partial y}} = {self._matrix(system.dL_dy)}")
        return displayed(lines)

    def _equations(self) -> list[str]:
        """Return the nonlinear equations as they were written, and the point."""
        from implicitgrad.symbolic.to_sympy import equation_in_latex

        origin = self.system.origin
        assert origin is not None
        lines = [equation_in_latex(equation, spell_name) for equation in origin.parsed]
        if origin.point:
            lines[-1] += f" \\quad \\text{{at }} {', '.join(map(self._value, origin.point, origin.values))}"
        return lines

    def _value(self, point: tuple[str, str], node: Node) -> str:
        """Return a name's value at the point, as it was written."""
        name, value = point
        from implicitgrad.symbolic.to_sympy import expression_in_latex

        origin = self.system.origin
        assert origin is not None
        if origin.is_computed(name):
            return f"{spell_name(name)} \\approx {self.notation.number(Fraction(value)).removeprefix(ROUGHLY)}"
        spelled = spell_number(value) if is_number(value) else expression_in_latex(node, spell_name)
        return f"{spell_name(name)} = {spelled}"

    def _identity(self) -> BaseMatrix[Any]:
        M = self.system.equations
        return RationalMatrix([[int(i == k) for k in range(M)] for i in range(M)], 1)

    def _matrix(self, matrix: BaseMatrix[Any]) -> str:
        return spell_matrix(matrix_of(self.notation, matrix.bounded_rows()))


def _cell(cell: Expression) -> str:
    return f"\\text{{{cell}}}" if cell is OPEN else str(cell)


def write(solution: AnySolution, options: WriteOptions) -> str:
    """Write the answer to one system. Raise ImplicitGradError if the format has no place for it."""
    if solution.kind == "program":
        from implicitgrad.writers.program.latex import write_program_latex

        numbers, has_steps = options.numbers, options.has_steps
        return write_program_latex(solution, numbers, options.wrt, options.selection, has_steps=has_steps)
    return write_latex(solution, options.numbers, options.selection)
