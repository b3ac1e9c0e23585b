r"""LaTeX's spelling of names, numbers, sums and matrices, for amsmath."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

from implicitgrad.numbers.formatting import in_pieces, show_column, split_sign
from implicitgrad.symbolic.element import Symbolic
from implicitgrad.text.characters import printable

SPELLED = "\x02"
"""Stands around what is LaTeX already among words, in which no such character can be."""
ROUGHLY = "{\\approx}\\,"
MAX_NAMES = 6
"""In a fraction, which is a line of its own where there are more."""
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
    "∝": r"\propto ", "≠": r"\neq ", "←": r"\leftarrow ", "ᵀ": r"^{\top}", "⁻": "^{-}", "¹": "^{1}",
} | {letter: f"\\{name} " for letter, name in _GREEK.items()} | {
    superscript: f"^{{{digit}}}" for digit, superscript in enumerate("²³⁴⁵⁶⁷⁸⁹", start=2)
}  # fmt: skip
_SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}"
} | {c: f"\\{c}" for c in "#$%&_{}"}  # fmt: skip

_FACTOR = r"\(?(?:[A-Z]|∂\w+/∂\w+)ᵀ?\)?(?:ᵀ|⁻¹)?"
_FORMULA = rf"{_FACTOR}(?: ?[·=] ?{_FACTOR})+|∂\w+/∂\w+"
"""A·∂y/∂x = I, or ∂y/∂x."""


def spell_sum(constant: Fraction, terms: Iterable[tuple[Fraction, str]], digits: int) -> str:
    """constant + Σ coefficient·name"""
    text = ""
    for value, name in [(constant, ""), *terms]:
        if not value:
            continue
        is_negative, size = split_sign(value)
        if not text and not name:
            text = spell_column([value], digits)[0]
            continue
        (number,) = spell_column([size], digits)
        if name:
            is_sum = isinstance(value, Symbolic) and len(in_pieces(value.shown)) > 1
            number = "" if number == "1" else f"\\left({number}\\right)\\," if is_sum else f"{number}\\,"
        if is_negative and not text and number.startswith(ROUGHLY):  # ≈ stands before the sign
            text = f"{ROUGHLY}-{number.removeprefix(ROUGHLY)}{name}"
            continue
        sign = ("-" if is_negative else "") if not text else " - " if is_negative else " + "
        text += f"{sign}{number}{name}"
    return text or "0"


def spell_column(values: Sequence[Fraction], digits: int) -> list[str]:
    """As show_column, in LaTeX; letters by their names, and π and its like as they are."""
    return [
        value.latex(spell_name) if isinstance(value, Symbolic) and value.fraction is None else spell_number(text)
        for value, text in zip(values, show_column(values, digits), strict=True)
    ]


def spell_jacobian(above: Sequence[str], below: Sequence[str]) -> str:
    """∂above/∂below"""
    return f"\\frac{{\\partial {spell_tuple(above, 'y')}}}{{\\partial {spell_tuple(below, 'x')}}}"


def spell_second_derivative(y: str, one: str, other: str) -> str:
    """∂²y/∂x², or ∂²y/∂x1∂x2 of two inputs, of spelled names."""
    by = f"\\partial {one}^2" if one == other else f"\\partial {one} \\partial {other}"
    return f"\\frac{{\\partial^2 {y}}}{{{by}}}"


def spell_tuple(names: Sequence[str], usual: str) -> str:
    """(a, b), or ``usual`` for many."""
    if len(names) == 1:
        return names[0]
    return f"({', '.join(names)})" if len(names) <= MAX_NAMES else usual


def spell_vector(names: Sequence[str]) -> str:
    """(a, b)ᵀ"""
    return f"({', '.join(names)})^{{\\top}}"


def spell_matrix(rows: Sequence[Sequence[str]]) -> str:
    """A pmatrix."""
    lines = " \\\\\n".join("  " + " & ".join(row) for row in rows)
    return f"\\begin{{pmatrix}}\n{lines}\n\\end{{pmatrix}}"


def displayed(equations: Sequence[str]) -> list[str]:
    """Each as a displayed equation."""
    return [f"\\[\n{equation}\n\\]" for equation in equations]


def spell_number(text: str) -> str:
    """A number as notation.py shows it: 3/4, ≈0.333333, 1.5e-7, 0±1e-9."""
    text = text.strip()
    mark = ROUGHLY if text.startswith("≈") else ""
    text = text.removeprefix("≈")
    if match := re.fullmatch(r"(-?)([0-9]+)/([0-9]+)", text):
        return f"{match[1]}\\frac{{{match[2]}}}{{{match[3]}}}"
    text = re.sub(r"e([+-]?)0*([0-9]+)", lambda m: f" \\times 10^{{{m[1].replace('+', '')}{m[2]}}}", text)
    return mark + text.replace("±", " \\pm ")


def spell_name(name: str) -> str:
    """y1 → y_{1}, feed12 → \\mathrm{feed}_{12}, λ → \\lambda; any other as text."""
    match = re.fullmatch(r"([A-Za-z]+|[" + "".join(_GREEK) + r"])_?([0-9]*)", name)
    if match is None:
        return f"\\text{{{''.join(map(_spell_character, printable(name)))}}}"
    letters, number = match.groups()
    base = f"\\{_GREEK[letters]}" if letters in _GREEK else letters if len(letters) == 1 else f"\\mathrm{{{letters}}}"
    return f"{base}_{{{number}}}" if number else base


def sentence(text: str) -> str:
    """Words with a capital and a full stop."""
    return words(text[:1].upper() + text[1:]) + ("" if text.endswith(":") else ".") + "\n"


def words(text: str) -> str:
    """Words, with what is mathematics in them as that."""
    return "".join(map(_word, re.split(rf"({SPELLED}[^{SPELLED}]*{SPELLED}|{_FORMULA}|∂\w+)", text)))


def verbatim(text: str) -> str:
    """A text as it was written, among mathematics."""
    return f"\\text{{\\ttfamily {''.join(map(_spell_character, text))}}}"


def _word(text: str) -> str:
    if text.startswith(SPELLED):
        return f"${text.strip(SPELLED)}$"
    if re.fullmatch(_FORMULA, text):
        spelled = re.sub(r"∂(\w+)", lambda match: f"\\partial {spell_name(match[1])}", text)
        spelled = spelled.replace("⁻¹", "^{-1}").replace("ᵀ", r"^{\top}").replace("·", r"\,")
        return f"${spelled}$"
    if text.startswith("∂") and len(text) > 1:
        return f"$\\partial {spell_name(text[1:])}$"
    return "".join(map(_spell_character, text))


def _spell_character(c: str) -> str:
    return f"\\ensuremath{{{_SYMBOLS[c].strip()}}}" if c in _SYMBOLS else _SPECIAL.get(c, c)
