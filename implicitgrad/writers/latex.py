r"""The answer in LaTeX, to be put into a paper that loads amsmath: pmatrix, \partial, numbers as in the table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

from implicitgrad.characters import printable
from implicitgrad.notation import in_pieces, show_column, split_sign
from implicitgrad.solution import Matrix, Solution
from implicitgrad.symbolic.value import Symbolic
from implicitgrad.writers.answer import Answer, numbers_of

MOST_NAMES = 6
"""In a fraction, which is a line of its own where there are more."""
USUAL_COLUMNS = 10
"""As many as amsmath's matrices have unless told otherwise."""
_GREEK = {
    letter: name
    for letters, names in (
        ("αβγδεζηθικλμ", "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu"),
        ("νξπρστυφχψω", "nu xi pi rho sigma tau upsilon varphi chi psi omega"),
        ("ΓΔΘΛΞΠΣΦΨΩ", "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"),
    )
    for letter, name in zip(letters, names.split(), strict=True)
}  # fmt: skip
_SYMBOLS = {
    "∂": r"\partial ", "·": r"\cdot ", "×": r"\times ", "−": "-", "≈": r"\approx ", "±": r"\pm ", "≤": r"\leq ",
    "∝": r"\propto ", "ᵀ": r"^{\top}", "⁻": "^{-}", "¹": "^{1}",
} | {letter: f"\\{name} " for letter, name in _GREEK.items()}  # fmt: skip
_SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}"
} | {c: f"\\{c}" for c in "#$%&_{}"}  # fmt: skip


def write_latex(solution: Solution, digits: int = 6) -> str:
    """The question and the answer as displayed equations. digits : the significant digits of a decimal."""
    answer = Answer(solution, printable, digits)
    writer = _Writer(solution, digits)
    title, *question = answer.question()
    columns = max(len(solution.x), len(solution.y))
    lines = [f"% {', '.join([title, *question])}", f"% {' '.join(answer.findings())}"]
    lines.append("% needs \\usepackage{amsmath}")
    if columns > USUAL_COLUMNS:
        lines.append(rf"\setcounter{{MaxMatrixCols}}{{{columns}}}")
    lines += writer.question()
    if solution.constraints is not None:
        lines += writer.constraints()
        lines.append(_sentence(answer.direction()))
    if solution.independent:
        lines += writer.general()
        lines += [_sentence(f"{line.label} is {line.note}") for line in answer.general().losses if line.note]
        if unconstrained := answer.unconstrained():
            lines.append(_sentence(unconstrained))
        if solution.general.free:
            lines.append(_sentence("one choice of many, the minimum-norm one:"))
            lines += writer.minimum_norm()
    lines += [_sentence(warning) for warning in answer.warnings()]
    return "\n".join(lines) + "\n"


class _Writer:
    """The equations of one answer."""

    def __init__(self, solution: Solution, digits: int) -> None:
        self.solution, self.system, self.digits = solution, solution.system, digits
        self.x, self.y = list(map(_name, solution.x)), list(map(_name, solution.y))
        self.inputs = list(map(_name, solution.independent))
        self.free = list(map(_name, solution.general.free))

    def question(self) -> list[str]:
        """B x = A y with its matrices and the names, and ∂L/∂y."""
        system = self.system
        matrices = [("A", system.A)] + ([] if system.B is None else [("B", system.B)])
        equation = "x = A\\,y" if system.B is None else "B\\,x = A\\,y"
        lines = [", \\quad\n".join([equation, *(f"{key} = {self._matrix(matrix)}" for key, matrix in matrices)])]
        lines.append(f"x = {_vector(self.x)}, \\quad y = {_vector(self.y)}")
        if system.dL_dy is not None:
            lines.append(f"\\frac{{\\partial {self._losses()}}}{{\\partial y}} = {self._matrix(system.dL_dy)}")
        return _displayed(lines)

    def constraints(self) -> list[str]:
        """What x must satisfy."""
        found = self.solution.constraints
        assert found is not None
        rows = zip(found.dependent, numbers_of(found.matrix), strict=True)
        return _displayed(
            [f"{_name(name)} = {self._sum(Fraction(0), zip(row, self.inputs, strict=True))}" for name, row in rows]
        )

    def general(self) -> list[str]:
        """∂y/∂x and ∂L/∂x, what is not determined in terms of the free entries."""
        general = self.solution.general
        lines = []
        if not self.solution.is_gradient_alone:
            is_free = [name in set(self.solution.general.free) for name in self.solution.y]
            rows = self._combined(general.particular, general.null_space, is_free)
            lines.append(f"{_jacobian(self.y, self.inputs)} = {_pmatrix(rows)}")
        if general.dL_dx_particular is not None and general.dL_dx_coefficients is not None:
            rows = self._combined(general.dL_dx_particular, general.dL_dx_coefficients, [])
            lines.append(f"{_jacobian([self._losses()], self.inputs)} = {_pmatrix(rows)}")
        return _displayed(lines)

    def minimum_norm(self) -> list[str]:
        """The choice of least norm."""
        J = self.solution.general.minimum_norm
        return _displayed([f"{_jacobian(self.y, self.inputs)} = {self._matrix(J)}"])

    def _losses(self) -> str:
        K = len(self.system.dL_dy or ())
        return "L" if K == 1 else _tuple([f"L_{{{k + 1}}}" for k in range(K)], "L")

    def _matrix(self, matrix: Matrix) -> str:
        return _pmatrix(self._rows(matrix))

    def _rows(self, matrix: Matrix | None) -> list[list[str]]:
        columns = [_column(column, self.digits) for column in zip(*numbers_of(matrix or ()), strict=True)]
        return [list(row) for row in zip(*columns, strict=True)]

    def _combined(self, particular: Matrix, coefficients: Matrix, is_free: list[bool]) -> list[list[str]]:
        """particular + coefficients·Z; a free row is its own entries."""
        rows = list(zip(numbers_of(particular), numbers_of(coefficients), strict=True))
        columns = []
        for k, x in enumerate(self.inputs):
            plain = iter(_column([J[k] for J, V in rows if not any(V)], self.digits))
            parameters = [f"\\frac{{\\partial {y}}}{{\\partial {x}}}" for y in self.free]
            column = []
            for i, (J, V) in enumerate(rows):
                if is_free and is_free[i]:
                    column.append(f"\\frac{{\\partial {self.y[i]}}}{{\\partial {x}}}")
                elif any(V):
                    column.append(self._sum(J[k], zip(V, parameters, strict=True)))
                else:
                    column.append(next(plain))
            columns.append(column)
        return [list(row) for row in zip(*columns, strict=True)]

    def _sum(self, constant: Fraction, terms: Iterable[tuple[Fraction, str]]) -> str:
        """constant + Σ coefficient·name"""
        text = ""
        for value, name in [(constant, ""), *terms]:
            if not value:
                continue
            is_negative, size = split_sign(value)
            if not text and not name:
                text = _column([value], self.digits)[0]
                continue
            (number,) = _column([size], self.digits)
            if name:
                is_sum = isinstance(value, Symbolic) and len(in_pieces(value.shown)) > 1
                number = "" if number == "1" else f"\\left({number}\\right)\\," if is_sum else f"{number}\\,"
            sign = ("-" if is_negative else "") if not text else " - " if is_negative else " + "
            text += f"{sign}{number}{name}"
        return text or "0"


def _column(values: Sequence[Fraction], digits: int) -> list[str]:
    """As show_column, in LaTeX; letters by their names, and π and its like as they are."""
    return [
        value.latex(_name) if isinstance(value, Symbolic) and value.fraction is None else _number(text)
        for value, text in zip(values, show_column(values, digits), strict=True)
    ]


def _jacobian(above: Sequence[str], below: Sequence[str]) -> str:
    return f"\\frac{{\\partial {_tuple(above, 'y')}}}{{\\partial {_tuple(below, 'x')}}}"


def _tuple(names: Sequence[str], usual: str) -> str:
    if len(names) == 1:
        return names[0]
    return f"({', '.join(names)})" if len(names) <= MOST_NAMES else usual


def _vector(names: Sequence[str]) -> str:
    return f"({', '.join(names)})^{{\\top}}"


def _pmatrix(rows: Sequence[Sequence[str]]) -> str:
    lines = " \\\\\n".join("  " + " & ".join(row) for row in rows)
    return f"\\begin{{pmatrix}}\n{lines}\n\\end{{pmatrix}}"


def _displayed(equations: Sequence[str]) -> list[str]:
    return [f"\\[\n{equation}\n\\]" for equation in equations]


def _number(text: str) -> str:
    """A number as notation.py shows it: 3/4, ≈0.333333, 1.5e-7, 0±1e-9."""
    text = text.strip()
    mark = "{\\approx}\\," if text.startswith("≈") else ""
    text = text.removeprefix("≈")
    if match := re.fullmatch(r"(-?)([0-9]+)/([0-9]+)", text):
        return f"{match[1]}\\frac{{{match[2]}}}{{{match[3]}}}"
    text = re.sub(r"e([+-]?)0*([0-9]+)", lambda m: f" \\times 10^{{{m[1].replace('+', '')}{m[2]}}}", text)
    return mark + text.replace("±", " \\pm ")


def _name(name: str) -> str:
    """y1 → y_{1}, feed12 → \\mathrm{feed}_{12}, λ → \\lambda; any other as text."""
    match = re.fullmatch(r"([A-Za-z]+|[" + "".join(_GREEK) + r"])_?([0-9]*)", name)
    if match is None:
        return f"\\text{{{''.join(map(_character, printable(name)))}}}"
    letters, number = match.groups()
    base = f"\\{_GREEK[letters]}" if letters in _GREEK else letters if len(letters) == 1 else f"\\mathrm{{{letters}}}"
    return f"{base}_{{{number}}}" if number else base


def _sentence(text: str) -> str:
    return _text(text[:1].upper() + text[1:]) + ("" if text.endswith(":") else ".") + "\n"


def _text(text: str) -> str:
    """Words, with what is mathematics in them as that."""
    parts = re.split(r"(∂\w+)", text)
    return "".join(
        f"$\\partial {_name(part[1:])}$" if part.startswith("∂") and len(part) > 1 else "".join(map(_character, part))
        for part in parts
    )


def _character(c: str) -> str:
    return f"\\ensuremath{{{_SYMBOLS[c].strip()}}}" if c in _SYMBOLS else _SPECIAL.get(c, c)
