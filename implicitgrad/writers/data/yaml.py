"""Write a system and its answer in YAML, as a file that can be read and checked again."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import chain
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from implicitgrad.model.at_value import has_given_x
from implicitgrad.model.implicit_equations import ImplicitEquations, PointAccuracy
from implicitgrad.model.solution import Solution
from implicitgrad.model.spec import SourceValue
from implicitgrad.model.system import Arithmetic, Status
from implicitgrad.numbers.doubles import Decimals
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.numbers.values import rectangle_of_texts
from implicitgrad.text.characters import format_fraction
from implicitgrad.text.number_grammar import is_number, parse_number
from implicitgrad.writers.data.expectation import (
    MAX_LINE_LENGTH,
    MAX_RTOL,
    certified_claims,
    too_long_to_claim,
    write_flow,
    write_mapping,
)

if TYPE_CHECKING:
    from implicitgrad.writers.options import AnySolution, WriteOptions

NO_VALUES: Mapping[str, SourceValue] = MappingProxyType({})
NOT_CERTIFIED = "the answer is not certified, and is not claimed"


def write_yaml(solution: Solution, values: Mapping[str, SourceValue] = NO_VALUES) -> str:
    """Return a document with the system's keys, and the answer as claims.

    values : the system as written, by key, whose numbers are repeated digit by digit.
    """
    system = solution.system
    lines = [f"name: {write_flow(system.name)}\n"]
    if system.origin is not None:
        lines += _equations(system.origin)
    else:
        lines.append(_matrix("A", system.A, solution, values))
        if system.B is not None:
            lines.append(_matrix("B", system.B, solution, values))
    lines += [f"{key}: {write_flow(names)}\n" for key, names in (("x", system.x), ("y", system.y))]
    if system.dL_dy is not None:
        lines.append(_matrix("dL_dy", system.dL_dy, solution, values, is_vector=system.has_one_loss))
    if system.x_value is not None and has_given_x(system) and system.origin is None:
        (texts,) = _as_written(values.get("x_value")) or _matrix_texts(system.x_value, solution)
        pairs = [f"{write_flow(name)}: {text}" for name, text in zip(system.x, texts, strict=True)]
        lines.append(f"at: {{{', '.join(pairs)}}}\n")
    answer = certified_claims(solution)
    lines.append(f"expect:\n{write_mapping(answer, '  ')}" if answer else f"# {NOT_CERTIFIED}\n")
    if answer and (left_out := too_long_to_claim(solution)):
        lines.append(f"  # not claimed, with numbers too long to be read: {', '.join(left_out)}\n")
    return "".join(lines)


def _equations(origin: ImplicitEquations) -> list[str]:
    lines = ["equations:\n", *(f"  - {write_flow(equation)}\n" for equation in origin.equations)]
    if origin.point:
        pairs = [
            f"{write_flow(name)}: {value if is_number(value) else write_flow(value)}" for name, value in origin.point
        ]
        lines.append(f"at: {{{', '.join(pairs)}}}\n")
    if origin.accuracy is PointAccuracy.COMPUTED:
        lines.append(f"solve_for: {write_flow(origin.found)}\n")
    return lines


def _matrix(
    key: str, matrix: BaseMatrix[Any], solution: Solution, values: Mapping[str, SourceValue], *, is_vector: bool = False
) -> str:
    texts = _as_written(values.get(key)) or _matrix_texts(matrix, solution)
    rows = [f"[{', '.join(row)}]" for row in texts]
    line = f"{key}: {rows[0] if is_vector else '[' + ', '.join(rows) + ']'}\n"
    if is_vector or len(line) <= MAX_LINE_LENGTH:
        return line
    return f"{key}:\n" + "".join(f"  - {row}\n" for row in rows)


def _as_written(part: SourceValue | None) -> list[list[str]] | None:
    """Return the rows of a matrix of numbers written as text, else None."""
    value = None if part is None else part.value
    if isinstance(value, Decimals):
        value = value.texts()
    if not isinstance(value, list):
        return None
    rows = rectangle_of_texts(value if list in map(type, value) else [value])
    return rows if rows and all(map(is_number, chain.from_iterable(rows))) else None


def _matrix_texts(matrix: BaseMatrix[Any], solution: Solution) -> list[list[str]]:
    """Return texts that read as the same numbers: decimals if the system was written in them, fractions, or doubles."""
    if solution.arithmetic is Arithmetic.FLOAT:
        write = write_flow if _tolerates_rounding(solution) else _exactly
        return [[write(number) for number in row] for row in matrix.plain_rows()]
    if solution.arithmetic is Arithmetic.SYMBOLIC:
        return [[write_flow(entry) for entry in row] for row in matrix]
    has_decimals = solution.system.has_decimals
    return [[_decimal(entry) if has_decimals else format_fraction(entry) for entry in row] for row in matrix]


def _tolerates_rounding(solution: Solution) -> bool:
    """Return whether decimals with a double's digits can replace doubles, so that zeros of the answer stay 0."""
    size = max(solution.system.equations, len(solution.y), len(solution.x))
    condition = solution.condition or inf
    return solution.status is Status.DETERMINED and size * 2.0**-52 * condition < MAX_RTOL


def _exactly(number: float) -> str:
    """Return a double's decimal, or its fraction if they differ."""
    text = write_flow(number)
    return text if parse_number(text) == number else format_fraction(Fraction(number))


def _decimal(value: Fraction) -> str:
    """Return a decimal, or a fraction if no decimal is exact."""
    places = next((places for places in range(MAX_LINE_LENGTH + 1) if 10**places % value.denominator == 0), None)
    if places is None:
        return format_fraction(value)
    if not places:
        return format_fraction(value.numerator)
    digits = format_fraction(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def write(solution: AnySolution, options: WriteOptions) -> str:
    """Write the answer to one system. Raise ImplicitGradError if the format has no place for it."""
    if solution.kind == "program":
        from implicitgrad.writers.program.yaml import write_program_yaml

        return write_program_yaml(solution)
    return write_yaml(solution, options.values)
