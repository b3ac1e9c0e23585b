"""What can be claimed of an answer, as the values of a file's ``expect``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import inf

from implicitgrad.model.solution import PartialMatrix, Solution
from implicitgrad.model.system import Arithmetic
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.symbolic.element import Symbolic
from implicitgrad.text.number_grammar import NumberError, float_square_root, parse_number
from implicitgrad.writers.flow import Value, write_flow

LARGEST_RTOL = 1e-3
SHORT = 1300
"""The bits of a numerator and a denominator up to which a number is within the largest exponent."""


def all_claims(solution: Solution, *, counts_parameters: bool = False) -> dict[str, Value]:
    """Every claim by its key.

    counts_parameters : how many free parameters there are, instead of their names; also where two have one name, as
    da/db/dc of a by b/dc and of a/db by c.
    """
    constraints = solution.constraints
    names = solution.free_parameters
    rows = None if solution.dL_dx_rows is None else numbers_as_written(solution.dL_dx_rows)
    return {
        "status": str(solution.status),
        "rank": solution.rank,
        "dy_dx": numbers_as_written(solution.dy_dx),
        "dL_dx": rows[0] if rows is not None and solution.has_one_loss else rows,
        "free_parameters": len(names) if counts_parameters or len({*names}) < len(names) else names,
        "dL_dx_unique": all(solution.unique_losses),
        "constraints": constraints
        and {"dependent": constraints.dependent, "matrix": numbers_as_written(constraints.matrix)},
        "condition": {"max": _condition_above(solution.condition_squared)},
    }


def numbers_as_written(matrix: PartialMatrix) -> Sequence[Sequence[Value]]:
    """The rows; doubles as decimals, which is how they are read."""
    return matrix.to_lists() if isinstance(matrix, BallMatrix) else matrix


def short_claims(solution: Solution) -> dict[str, Value]:
    """Those that say something, ∂y/∂x only where there is no ∂L/∂x."""
    has_gradient = solution.dL_dx_rows is not None
    keys = {"status", "rank"}
    if not has_gradient and _says_something(solution.dy_dx):
        keys.add("dy_dx")
    if has_gradient and _says_something(solution.dL_dx_rows or ()):
        keys.add("dL_dx")
    return _chosen(solution, keys | _of_its_verdict(solution))


def whole_answer(solution: Solution) -> dict[str, Value]:
    """All that the answer is, with a tolerance for what was computed in doubles; nothing where it is not certified."""
    jacobian_error, gradient_error = solution.error_bounds
    if jacobian_error is None or gradient_error is None:
        return {}
    keys = {"status", "rank"} | _of_its_verdict(solution)
    if solution.independent:  # else no claim of a derivative says anything
        keys |= {"dy_dx", "dL_dx"}
    if solution.is_gradient_alone:
        keys.discard("dy_dx")
    if solution.dL_dx_rows is None:
        keys.discard("dL_dx")
    found = _chosen(solution, keys)
    if solution.arithmetic is Arithmetic.FLOAT:
        size = max(solution.system.equations, len(solution.y), len(solution.x))
        rtol = min(LARGEST_RTOL, 16 * size * 2.0**-52 * (solution.condition or 1.0))
        atol = 2 * float(f"{max(jacobian_error, gradient_error):.0e}")
        if atol == inf:
            return {}
        found["tolerance"] = {"rtol": 2 * float(f"{rtol:.0e}"), "atol": atol}
    return found


def too_long_to_claim(solution: Solution) -> list[str]:
    """The keys of claims that have a number of more digits than is read."""
    return [key for key, value in all_claims(solution).items() if not _is_readable(value)]


def _chosen(solution: Solution, keys: set[str]) -> dict[str, Value]:
    return {key: value for key, value in all_claims(solution).items() if key in keys and _is_readable(value)}


def _is_readable(value: Value) -> bool:
    """Whether all numbers in a claim are read again as they are written."""
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


def _of_its_verdict(solution: Solution) -> set[str]:
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
    """The condition number, rounded up to three digits, if there is one."""
    root = None if squared is None else float_square_root(*squared.as_integer_ratio())
    if squared is None or root is None:
        return None
    above = Fraction(f"{root:.2e}")
    while above**2 < squared:
        above += Fraction(f"1e{int(f'{root:.2e}'.partition('e')[2]) - 2}")
    return above
