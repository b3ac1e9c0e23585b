"""Write the claims of an answer, as values of a file's key ``expect``, in YAML or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from math import inf

from implicitgrad.model.at_value import has_given_x
from implicitgrad.model.solution import PartialMatrix, Solution
from implicitgrad.model.system import Arithmetic
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.numbers.rounding import float_square_root
from implicitgrad.symbolic.function_field.element import Symbolic
from implicitgrad.text.characters import MAX_DIGITS, format_fraction
from implicitgrad.text.number_grammar import MAX_EXPONENT, NumberError, parse_number

MAX_RTOL = 1e-3
SHORT = 1300
"""A numerator and a denominator of fewer bits are within the largest exponent."""
MAX_LINE_LENGTH = 100
MAX_FRACTION_LENGTH = 40
MAX_SHORT_ESCAPE = 0xFFFF
"""The largest character with a short escape; a larger one has a long escape in YAML, a pair in JSON."""
SURROGATES = range(0xD800, 0xE000)
DIGITS = 15
"""The digits of a decimal that replaces a longer fraction; so few claim no more than they show."""
_PLAIN = re.compile(r"[^\W\d]([\w/. -]*[\w/.])?")
_NOT_TEXTS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}

Value = None | bool | int | float | Fraction | str | Sequence["Value"] | Mapping[str, "Value"]


def all_claims(solution: Solution, *, counts_parameters: bool = False) -> dict[str, Value]:
    """Return every claim by its key.

    counts_parameters : claim the number of free parameters instead of their names, as also if two names coincide:
    da/db/dc for a and b/dc, and for a/db and c.
    """
    constraints = solution.constraints
    names = solution.free_parameters
    rows = None if solution.dL_dx_rows is None else solution.dL_dx_rows.plain_rows()
    at = solution.at_value
    return {
        "status": str(solution.status),
        "rank": solution.rank,
        "dy_dx": solution.dy_dx.plain_rows(),
        "dL_dx": rows[0] if rows is not None and solution.has_one_loss else rows,
        "dL_dA": None if at is None else _of_losses(solution, at.dL_dA),
        "dL_dB": None if at is None else _of_losses(solution, at.dL_dB),
        "free_parameters": len(names) if counts_parameters or len({*names}) < len(names) else names,
        "dL_dx_unique": all(solution.unique_losses),
        "constraints": constraints and {"dependent": constraints.dependent, "matrix": constraints.matrix.plain_rows()},
        "condition": {"max": _condition_above(solution.condition_squared)},
    }


def _of_losses(solution: Solution, matrices: Sequence[BaseMatrix[Fraction | None]] | None) -> Value:
    """Return ∂L/∂A or ∂L/∂B of one loss, or a list of those of several."""
    written = [matrix.plain_rows() for matrix in matrices or ()]
    return None if matrices is None else written[0] if solution.has_one_loss else written


def short_claims(solution: Solution) -> dict[str, Value]:
    """Return the most informative claims, with ∂y/∂x only if there is no ∂L/∂x."""
    has_gradient = solution.dL_dx_rows is not None
    keys = {"status", "rank"}
    if not has_gradient and _says_something(solution.dy_dx):
        keys.add("dy_dx")
    if has_gradient and _says_something(solution.dL_dx_rows or ()):
        keys.add("dL_dx")
    return _chosen(solution, keys | _structural_keys(solution))


def certified_claims(solution: Solution) -> dict[str, Value]:
    """Return all claims of the answer, with a tolerance for doubles; none if it is not certified."""
    errors = [*solution.error_bounds]
    if solution.at_value is not None:
        errors += [solution.at_value.error_bound(key) for key in ("y_value", "dL_dA", "dL_dB")]
    known = [error for error in errors if error is not None]
    if len(known) < len(errors):
        return {}
    keys = {"status", "rank"} | _structural_keys(solution)
    if solution.independent:  # without independent inputs, there are no derivatives to claim
        keys |= {"dy_dx", "dL_dx"}
    if solution.at_value is not None and has_given_x(solution.system):
        keys |= {key for key in ("dL_dA", "dL_dB") if getattr(solution.at_value, key) is not None}
    if solution.is_gradient_alone:
        keys.discard("dy_dx")
    if solution.dL_dx_rows is None:
        keys.discard("dL_dx")
    found = _chosen(solution, keys)
    if solution.arithmetic is Arithmetic.FLOAT:
        size = max(solution.system.equations, len(solution.y), len(solution.x))
        rtol = min(MAX_RTOL, 16 * size * 2.0**-52 * (solution.condition or 1.0))
        atol = 2 * float(f"{max(known):.0e}")
        if atol == inf:
            return {}
        found["tolerance"] = {"rtol": 2 * float(f"{rtol:.0e}"), "atol": atol}
    return found


def too_long_to_claim(solution: Solution) -> list[str]:
    """Return the keys of claims with a number of more digits than are read."""
    return [key for key, value in all_claims(solution).items() if not _is_readable(value)]


def _chosen(solution: Solution, keys: set[str]) -> dict[str, Value]:
    return {key: value for key, value in all_claims(solution).items() if key in keys and _is_readable(value)}


def _is_readable(value: Value) -> bool:
    """Return whether all numbers in a claim can be read again as they are written."""
    if isinstance(value, Mapping):
        return all(map(_is_readable, value.values()))
    if value is None or isinstance(value, str | int | float | Symbolic):
        return True
    if not isinstance(value, Fraction):
        return all(map(_is_readable, value))
    if _is_short(value):
        return True
    try:
        parse_number(write_flow(value))
    except NumberError:
        return False
    return True


def _is_short(value: Fraction) -> bool:
    return value.numerator.bit_length() < SHORT and value.denominator.bit_length() < SHORT


def _structural_keys(solution: Solution) -> set[str]:
    keys = set()
    if solution.general.free:
        keys.add("free_parameters")
        if solution.dL_dx_rows is not None:
            keys.add("dL_dx_unique")
    if solution.constraints is not None:
        keys.add("constraints")
    return keys


def _says_something(rows: PartialMatrix) -> bool:
    return any(value is not None for row in rows for value in row)


def _condition_above(squared: Fraction | None) -> Value:
    """Return the condition number rounded up to three digits, if there is one."""
    root = None if squared is None else float_square_root(squared)
    if squared is None or root is None:
        return None
    above = Fraction(f"{root:.2e}")
    while above**2 < squared:
        above += Fraction(f"1e{int(f'{root:.2e}'.partition('e')[2]) - 2}")
    return above


def write_flow(value: Value, *, as_json: bool = False) -> str:
    """Return ``value`` on one line."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, Symbolic):
        text = value.text
        is_number = value.fraction is not None and not as_json
        return text if is_number or (not as_json and _is_plain(text)) else json.dumps(text)
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, int | Fraction):
        return _number(Fraction(value), as_json)
    if isinstance(value, str):
        return value if not as_json and _is_plain(value) else _quoted(value, as_json)
    if isinstance(value, Mapping):
        pairs = (
            f"{write_flow(key, as_json=as_json)}: {write_flow(item, as_json=as_json)}" for key, item in value.items()
        )
        return f"{{{', '.join(pairs)}}}"
    return f"[{', '.join(write_flow(item, as_json=as_json) for item in value)}]"


def write_mapping(values: Mapping[str, Value], indent: str = "") -> str:
    """Return a mapping in block style, one key a line, with long matrices one row a line."""
    lines = []
    for key, value in values.items():
        line = f"{indent}{key}: {write_flow(value)}"
        is_list = not isinstance(value, str | int | float | Fraction | Mapping | None)
        if len(line) > MAX_LINE_LENGTH and is_list:
            lines += [f"{indent}{key}:", *(f"{indent}  - {write_flow(row)}" for row in value or ())]  # type: ignore[union-attr]
        else:
            lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def _quoted(text: str, as_json: bool) -> str:
    """Return a text in double quotes, with escapes for characters that files or readers do not allow."""
    quoted = json.dumps(text, ensure_ascii=False).replace("##[", r"\u0023#[")
    return quoted if quoted.isprintable() else "".join([_escaped(character, as_json) for character in quoted])


def _escaped(character: str, as_json: bool) -> str:
    if character.isprintable():
        return character
    if ord(character) in SURROGATES:  # a byte that is no text, which YAML cannot hold
        return f"\\\\u{ord(character):x}"
    is_long = ord(character) > MAX_SHORT_ESCAPE and not as_json
    return f"\\U{ord(character):08X}" if is_long else json.dumps(character)[1:-1]


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and text.lower() not in _NOT_TEXTS


def _number(value: Fraction, as_json: bool) -> str:
    """Write a fraction, rounded to a decimal if it is too long to read."""
    text = format_fraction(value)
    if len(text) > MAX_FRACTION_LENGTH:
        return _decimal(value) or text
    return f'"{text}"' if as_json and "/" in text else text


def _decimal(value: Fraction) -> str:
    """Return a decimal within the largest exponent; "" if that needs too many digits."""
    rounded = Context(prec=DIGITS).divide(Decimal(value.numerator), Decimal(value.denominator))
    exponent = rounded.adjusted()
    if abs(exponent) <= MAX_EXPONENT:
        return f"{rounded:.{DIGITS - 1}e}"
    digits = f"{abs(rounded):.{DIGITS - 1}e}".partition("e")[0].replace(".", "")
    sign, shift = "-" if value < 0 else "", exponent - DIGITS + 2
    if exponent < 0:
        places = "0" * (-exponent - MAX_EXPONENT - 1) + digits
        return f"{sign}0.{places}e-{MAX_EXPONENT}" if len(places) < MAX_DIGITS - 4 else ""
    return f"{sign}{digits[:-1]}.{digits[-1]}e+{shift}" if shift <= MAX_EXPONENT else ""
