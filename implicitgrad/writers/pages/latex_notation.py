r"""Notation in LaTeX for amsmath: names, numbers, sums, matrices, and mathematics among words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from implicitgrad.numbers.display.style import Expression
from implicitgrad.numbers.display.sums import linear
from implicitgrad.symbolic.function_field.element import Symbolic
from implicitgrad.text.characters import printable
from implicitgrad.writers.notation import Notation

if TYPE_CHECKING:
    from implicitgrad.numbers.display.form import NumberOptions
    from implicitgrad.symbolic.grammar.expressions import Equation

SPELLED = "\x02"
"""The character around LaTeX in a sentence; printable text does not contain it."""
ROUGHLY = "{\\approx}\\,"
MAX_NAMES = 6
"""The most names in a fraction; a tuple of more is abbreviated."""
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
    "≥": r"\geq ", "…": r"\ldots ", "½": r"\tfrac12 ",
    "∝": r"\propto ", "≠": r"\neq ", "←": r"\leftarrow", "ᵀ": r"^{\top}", "⁻": "^{-}", "¹": "^{1}",
} | {letter: f"\\{name} " for letter, name in _GREEK.items()} | {
    superscript: f"^{{{digit}}}" for digit, superscript in enumerate("²³⁴⁵⁶⁷⁸⁹", start=2)
}  # fmt: skip
_SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}"
} | {c: f"\\{c}" for c in "#$%&_{}"}  # fmt: skip

_FACTOR = r"\(?(?:[A-Z]|∂\w+/∂\w+)ᵀ?\)?(?:ᵀ|⁻¹)?"
_SECOND = "∂²y/∂x²"
_FORMULA = rf"{_SECOND}|{_FACTOR}(?: ?[·=] ?{_FACTOR})+|∂\w+/∂\w+"
"""A·∂y/∂x = I, or ∂y/∂x."""


class LatexNotation(Notation):
    """LaTeX for amsmath: labels are plain text, for ``words`` to escape, and mentions are marked as LaTeX for it."""

    def __init__(self, options: NumberOptions) -> None:
        super().__init__(options, printable, lambda name: _among_words(spell_name(name)))

    def name(self, name: str) -> str:
        """Return ``y_{1}``."""
        return spell_name(name)

    def change(self, name: str) -> str:
        """Return ``\\mathrm{d}x``."""
        return f"\\mathrm{{d}}{spell_name(name)}"

    def derivative(self, above: str, below: str) -> str:
        """Return a fraction."""
        return f"\\frac{{\\partial {spell_name(above)}}}{{\\partial {spell_name(below)}}}"

    def prime(self, y: str, order: int = 1) -> str:
        """Return ``y'`` or ``y''``."""
        return spell_name(y) + "'" * order

    def second_derivative(self, y: str, one: str, other: str) -> str:
        """Return ∂²y/∂x², or ∂²y/∂x1∂x2 of two inputs."""
        x, z = spell_name(one), spell_name(other)
        below = f"\\partial {x}^2" if one == other else f"\\partial {x} \\partial {z}"
        return f"\\frac{{\\partial^2 {spell_name(y)}}}{{{below}}}"

    def column(self, values: Sequence[Fraction]) -> list[Expression]:
        """Return numbers, each as one piece."""
        return [Expression((self.number(value),)) for value in values]

    def number(self, value: Fraction) -> str:
        """Return one number as in plain text, with letters by their names."""
        text = self.show(value)
        if isinstance(value, Symbolic) and (self.style is None or text == value.shown):
            return value.latex(spell_name)
        return spell_number(text)

    def sum(self, constant: Fraction, terms: Iterable[tuple[Fraction, str]]) -> Expression:
        """Return constant + Σ coefficient·symbol as one piece."""
        return Expression((str(linear(constant, terms, self.number, _factor, ROUGHLY)).replace("−", "-"),))

    def product(self, one: str, other: str) -> str:
        """Return the factors side by side, or a square."""
        return f"\\left({one}\\right)^2" if one == other else f"{one} {other}"

    def comparison(self, value: Symbolic, sign: str) -> str:
        """Return the relation, marked as LaTeX for ``words``."""
        relation = "=" if sign == "=" else "\\neq"
        return _among_words(f"{value.latex(spell_name)} {relation} 0")

    def as_written(self, equation: str, tree: Equation) -> str:
        """Return the equation with SymPy's automatic simplifications; without SymPy as the user's text."""
        try:
            from implicitgrad.symbolic.to_sympy import equation_in_latex
        except ImportError:  # linear equations need no SymPy
            return f"\\text{{\\ttfamily {''.join(map(_spell_character, equation))}}}"
        return equation_in_latex(tree, spell_name)

    def inline(self, mathematics: str) -> str:
        """Return ``$mathematics$``."""
        return f"${mathematics}$"


def _among_words(mathematics: str) -> str:
    """Return spelled mathematics, marked as LaTeX for ``words``."""
    return f"{SPELLED}{mathematics}{SPELLED}"


def _factor(number: str, value: Fraction) -> str:
    """Return a coefficient as it stands before a name, a sum in parentheses."""
    is_sum = "\\pm" in number or (isinstance(value, Symbolic) and len(Expression.of(value.shown).pieces) > 1)
    return f"\\left({number}\\right)\\," if is_sum else f"{number}\\,"


def spell_jacobian(above: Sequence[str], below: Sequence[str]) -> str:
    """Return ∂above/∂below of tuples of spelled names."""
    return f"\\frac{{\\partial {spell_tuple(above, 'y')}}}{{\\partial {spell_tuple(below, 'x')}}}"


def spell_tuple(names: Sequence[str], usual: str) -> str:
    """Return ``(a, b)``, or ``usual`` for more than MAX_NAMES."""
    if len(names) == 1:
        return names[0]
    return f"({', '.join(names)})" if len(names) <= MAX_NAMES else usual


def spell_vector(names: Sequence[str]) -> str:
    """Return ``(a, b)ᵀ``."""
    return f"({', '.join(names)})^{{\\top}}"


def spell_matrix(rows: Sequence[Sequence[str]]) -> str:
    """Return a pmatrix."""
    lines = " \\\\\n".join("  " + " & ".join(row) for row in rows)
    return f"\\begin{{pmatrix}}\n{lines}\n\\end{{pmatrix}}"


def displayed(equations: Iterable[str]) -> list[str]:
    """Return each equation as a display, with ≈ instead of = ≈."""
    return ["\\[\n" + equation.replace(f"= {ROUGHLY}", "\\approx ") + "\n\\]" for equation in equations]


def spell_number(text: str) -> str:
    """Spell a number in plain text: 3/4, ≈0.333333, 1.5e-7, 0.64±0.06."""
    text = text.strip()
    mark = ROUGHLY if text.startswith("≈") else ""
    text = text.removeprefix("≈")
    if match := re.fullmatch(r"(-?)([0-9]+)/([0-9]+)", text):
        return f"{match[1]}\\frac{{{match[2]}}}{{{match[3]}}}"
    text = re.sub(r"e([+-]?)0*([0-9]+)", lambda m: f" \\times 10^{{{m[1].replace('+', '')}{m[2]}}}", text)
    return mark + text.replace("±", " \\pm ")


def spell_name(name: str) -> str:
    """Return y_{1} for y1, \\mathrm{feed}_{12} for feed12, \\lambda for λ, y' for y′, and any other name as text."""
    if name.endswith("′"):
        return spell_name(name.removesuffix("′")) + "'"
    match = re.fullmatch(r"([A-Za-z]+|[" + "".join(_GREEK) + r"])_?([0-9]*)", name)
    if match is None:
        return f"\\text{{{''.join(map(_spell_character, printable(name)))}}}"
    letters, number = match.groups()
    base = f"\\{_GREEK[letters]}" if letters in _GREEK else letters if len(letters) == 1 else f"\\mathrm{{{letters}}}"
    return f"{base}_{{{number}}}" if number else base


def sentence(text: str) -> str:
    """Return the sentence with a capital and a full stop."""
    capital = text if text[1:2] == " " else text[:1].upper() + text[1:]  # a name keeps its case
    return words(capital) + ("" if text.endswith(":") else ".") + "\n"


def formula(text: str) -> str:
    """Return a formula in plain characters, such as P·z + Cᵀ·λ, in LaTeX."""
    return "".join([_SYMBOLS.get(character, character) for character in text])


def words(text: str) -> str:
    """Return text in which formulas are set as mathematics and other special characters are escaped."""
    return "".join(map(_word, re.split(rf"({SPELLED}[^{SPELLED}]*{SPELLED}|{_FORMULA}|∂\w+)", text)))


def _word(text: str) -> str:
    if text.startswith(SPELLED):
        return f"${text.strip(SPELLED)}$"
    if text == _SECOND:
        return r"$\partial^2 y/\partial x^2$"
    if re.fullmatch(_FORMULA, text):
        spelled = re.sub(r"∂(\w+)", lambda match: f"\\partial {spell_name(match[1])}", text)
        spelled = spelled.replace("⁻¹", "^{-1}").replace("ᵀ", r"^{\top}").replace("·", r"\,")
        return f"${spelled}$"
    if text.startswith("∂") and len(text) > 1:
        return f"$\\partial {spell_name(text[1:])}$"
    return "".join(map(_spell_character, text))


def _spell_character(c: str) -> str:
    return f"\\ensuremath{{{_SYMBOLS[c].strip()}}}" if c in _SYMBOLS else _SPECIAL.get(c, c)
