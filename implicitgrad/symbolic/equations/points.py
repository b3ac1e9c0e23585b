"""Find points that solve equations, test given ones, and evaluate expressions there."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from sympy import Dummy, Expr, I, Rational, atan2, nan, nsolve, oo, simplify, zoo
from sympy.core.evalf import PrecisionExhausted

from implicitgrad.symbolic.grammar.expressions import Equation
from implicitgrad.symbolic.printing import write
from implicitgrad.symbolic.to_sympy import MAX_DIGITS as MAX_DIGITS_OF_NUMBERS
from implicitgrad.symbolic.to_sympy import at_point

DIGITS = 50
MAX_DIGITS = 150
"""The most digits computed to decide whether a number is 0."""
UNSEEN = Rational(1, 10**100)
MAX_DENOMINATOR = 10**12
"""The largest denominator of a fraction that Newton's method may have approximated."""
MAX_STEPS = 50
SHOWN_DIGITS = 17
SMALLEST_SHOWN = 1e-300
_NO_VALUE = (I, nan, oo, -oo, zoo)


class PointError(Exception):
    """The equations or their derivatives have no value at the point."""

    def __init__(self, message: str, hint: str | None = None, equation: int | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint
        self.equation = equation
        """The index of the equation concerned, if it is one."""


def solve_by_newton(
    F: list[Expr], variables: list[Expr], point: dict[Expr, Expr]
) -> tuple[dict[Expr, Expr], str | None]:
    """Solve the equations for some variables by Newton's method from the point; return their values and max |F|."""
    if len(variables) != len(F):
        raise PointError(f"solve_for: expected as many names as equations, {len(F)}, got {len(variables)}")
    fixed = {v: value for v, value in point.items() if v not in variables}
    functions = [f.subs(fixed) for f in F]
    unnamed = {v: Dummy(real=True) for v in variables}  # names may be keywords of Python
    try:
        start = [point[v] for v in variables]
        unnamed_functions = [f.xreplace(unnamed) for f in functions]
        found = nsolve(unnamed_functions, list(unnamed.values()), start, prec=DIGITS, maxsteps=MAX_STEPS)
    except (ValueError, ZeroDivisionError, TypeError, OverflowError):
        message = f"solve_for: Newton's method found no solution from {named({v: point[v] for v in variables})}"
        hint = "Start nearer to a solution; where ∂F/∂y is singular, as at a fold, it finds none"
        raise PointError(message, hint) from None
    if not all(number.is_real for number in found):
        raise PointError("solve_for: Newton's method found a solution that is not real")
    values = {v: Rational(str(number)) for v, number in zip(variables, found, strict=True)}
    short = {v: value.limit_denominator(MAX_DENOMINATOR) for v, value in values.items()}
    if not any(_size(f.subs(short)) for f in functions):
        return short, None
    return values, _rounded(max(abs(f.subs(values).evalf(DIGITS)) for f in functions))


def residual_at(
    F: list[Expr], there: list[Expr], point: dict[Expr, Expr], roundings: dict[Expr, Fraction]
) -> str | None:
    """Return max |F| at the point, None if it is an exact solution. Raises PointError if it is no solution.

    there : the values of F.
    """
    largest = Rational(0)
    for i, (f, value) in enumerate(zip(F, there, strict=True)):
        if value.has(*_NO_VALUE) or value.free_symbols or value.evalf(DIGITS).is_real is False:
            raise PointError(f"equation {i + 1} has no real value at {named(point)}", equation=i)
        size = _size(value)
        allowed = Rational(1001, 1000) * sum(
            abs(f.diff(v).subs(point).evalf(15)) * Rational(rounding) for v, rounding in roundings.items() if rounding
        )
        allowed = max(allowed, UNSEEN)
        if not size <= allowed:
            left_minus_right = value if value.is_Rational and len(str(value)) < 20 else value.evalf(6)
            message = f"{named(point)} is no solution of equation {i + 1}: its sides differ by {left_minus_right}"
            raise PointError(message, "solve_for: NAME finds one near to it", i)
        largest = max(largest, size)
    return _rounded(largest)


def _rounded(size: Expr) -> str | None:
    return f"{max(float(size), SMALLEST_SHOWN):.1g}" if size else None


def _size(value: Expr) -> Expr:
    """Return the absolute value of a number: 0 if that is proved, and UNSEEN if it may be 0."""
    if value.is_Rational:
        return abs(value)
    try:
        return abs(value.evalf(SHOWN_DIGITS, maxn=MAX_DIGITS, strict=True))
    except PrecisionExhausted:
        return Rational(0) if simplify(value) == 0 else UNSEEN


def refuse_jumps(F: list[Expr], point: dict[Expr, Expr]) -> None:
    """Raise PointError where atan2(y, x) jumps from −π to π, which its derivatives do not show."""
    for i, f in enumerate(F):
        for y, x in (atom.args for atom in f.atoms(atan2)):
            if y.subs(point).is_zero and x.subs(point).is_nonpositive:
                raise PointError(f"equation {i + 1} has no derivative at {named(point)}: atan2 jumps there", equation=i)


def matrix_at(
    matrix: list[list[Expr]], point: dict[Expr, Expr], equations: Sequence[Equation], *, is_rounded: bool
) -> list[list[Expr]]:
    """Return a matrix at a point. Raises PointError where an entry has no value."""
    found = [[value_at(entry, point, is_rounded=is_rounded) for entry in row] for row in matrix]
    for i, row in enumerate(found):
        if any(entry.has(*_NO_VALUE) for entry in row):
            number = min(i, len(equations) - 1)
            raise PointError(f"equation {number + 1} has no derivative at {named(point)}", equation=number)
    return found


def value_at(expression: Expr, point: dict[Expr, Expr], *, is_rounded: bool) -> Expr:
    """Return an expression's value at a point. Raises PointError if its numbers are too large to compute with.

    is_rounded : round the point, so that powers do not become longer.
    """
    values = {v: value.evalf(DIGITS) for v, value in point.items()} if is_rounded else point
    try:
        return at_point(expression, values)
    except OverflowError:
        message = f"at: expected numbers of at most {MAX_DIGITS_OF_NUMBERS:,} digits"
        raise PointError(f"{message}, and the equations have more at {named(point)}") from None


def named(point: dict[Expr, Expr]) -> str:
    """Return the text of a point: x = 3, y = 4."""
    return ", ".join(f"{v.name} = {shown(value)}" for v, value in point.items())


def shown(value: Expr) -> str:
    """Write a value as a number of the grammar, with at most twenty digits."""
    text = write(value)
    if value.is_Rational and len(text) > 2 * SHOWN_DIGITS:
        return str(value.evalf(SHOWN_DIGITS))
    return text
