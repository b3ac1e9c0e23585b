r"""The answer in LaTeX, to be put into a paper that loads amsmath: pmatrix, \partial, numbers as in the table."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from implicitgrad.model.implicit_equations import are_in_changes
from implicitgrad.numbers.display.style import Expression
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.text.number_grammar import is_number
from implicitgrad.writers.document import Document, document_of
from implicitgrad.writers.elements import FREE, OPEN, Block, Equations, Matrices, Row, Sentence
from implicitgrad.writers.pages.latex_notation import (
    MAX_NAMES,
    ROUGHLY,
    LatexNotation,
    displayed,
    formula,
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
    from implicitgrad.symbolic.grammar.expressions import Node
    from implicitgrad.writers.options import AnySolution, WriteOptions

USUAL_COLUMNS = 10
"""The most columns of amsmath's matrices unless MaxMatrixCols is set."""


def write(solution: AnySolution, options: WriteOptions) -> str:
    """Return the question and the document for amsmath."""
    document = document_of(solution, LatexNotation(options.numbers), options)
    sections = list(document.sections())  # an answer that is too long is refused here, before the question is spelled
    title, *question = document.question()
    lines = [
        f"% {', '.join([title, *question])}",
        f"% {' '.join(document.findings())}",
        "% needs \\usepackage{amsmath}",
    ]
    if isinstance(document, Document):
        system = _SystemInLatex(document)
        spell_block = system.block
        lines += system.preamble()
    else:
        from implicitgrad.writers.program.latex import spell_block
    for section in sections:
        if section.heading:
            lines.append(f"\\medskip\\noindent\\textbf{{{words(section.heading)}.}}\n")
        for element in section.elements:
            lines += spell_block(element) if isinstance(element, Block) else _spelled(element)
    return "\n".join(lines) + "\n"


def _spelled(element: Sentence | Equations | Matrices) -> list[str]:
    if isinstance(element, Sentence):
        text = element.text
        return [f"{text[:1].upper()}{text[1:]}.\n" if element.is_spelled else sentence(text)]
    if isinstance(element, Equations):
        return displayed(formula(str(line)) for line in element.lines)
    pieces = (one.replace("·", "").strip() if isinstance(one, str) else spell_matrix(one) for one in element.pieces)
    return displayed([formula(" ".join(pieces))])


class _SystemInLatex:
    """The question and the tables of the document on a system."""

    def __init__(self, document: Document) -> None:
        self.document, self.notation, self.system = document, document.notation, document.system
        self.x, self.y = list(map(spell_name, self.system.x)), list(map(spell_name, self.system.y))
        self.losses = "L"
        if (K := len(self.system.dL_dy or ())) != 1:
            self.losses = spell_tuple([f"L_{{{k + 1}}}" for k in range(K)], "L")

    def preamble(self) -> Iterator[str]:
        if (columns := max(len(self.x), len(self.y))) > USUAL_COLUMNS:
            yield rf"\setcounter{{MaxMatrixCols}}{{{columns}}}"
        if self.document.solution.derivation is None:
            yield from self._question()

    def block(self, block: Block) -> list[str]:
        if block.corner != "∂y/∂x":
            above, _, below = block.corner.removeprefix("∂").partition("/∂")
            symbol = self.notation.derivative(above, below)
            if above.startswith("²"):
                symbol = self.notation.second_derivative(above[1:], "x", "x")
            matrix = spell_matrix([[_cell(cell) for cell in row.cells] for row in block.rows])
            return displayed([f"{symbol} = {matrix}"])
        shown, equations = self.document.shown, []
        x, y = list(map(spell_name, shown.x)), list(map(spell_name, shown.y))
        if block.rows:
            matrix = spell_matrix(list(map(self._entries, shown.y, block.rows)))
            equations.append(f"{spell_jacobian(y, x)} = {matrix}")
        if block.losses:
            matrix = spell_matrix([list(map(str, row.cells)) for row in block.losses])
            equations.append(f"{spell_jacobian([self.losses], x)} = {matrix}")
        return [*displayed(equations), *map(sentence, block.notes())]

    def _entries(self, y: str, row: Row) -> list[str]:
        """Return a row of ∂y/∂x, in which a free entry is the derivative itself."""
        cells = zip(self.document.shown.x, row.cells, strict=True)
        return [self.notation.derivative(y, x) if cell is FREE else str(cell) for x, cell in cells]

    def _question(self) -> list[str]:
        """Return B x = A y or F(x, y) = 0, with the matrices, the names and ∂L/∂y."""
        system = self.system
        matrices = [("A", system.A)] + ([] if system.B is None else [("B", system.B)])
        x, y = ("\\mathrm{d}x", "\\mathrm{d}y") if are_in_changes(system.origin) else ("x", "y")
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
        return spell_matrix(self.notation.matrix(matrix.bounded_rows()))


def _cell(cell: Expression) -> str:
    return f"\\text{{{cell}}}" if cell is OPEN else str(cell)
