"""Test whether expressions are 0 numerically: to forty digits at random points at which all functions are real."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import mpmath
from mpmath import mpf
from sympy import Abs, Expr, Symbol, cosh, exp, lambdify, sinh, tanh

from implicitgrad.text.errors import UsageError

DIGITS = 60
NEGLIGIBLE = mpmath.mpf(10) ** -40
POINTS = 2
"""The number of points for each choice of signs of the arguments of absolute values."""
NEAR_ATTEMPTS, ATTEMPTS = 10, 400
SIZES = (0.001, 1, 1, 1, 10, 10, 100, 10**4, 10**6, 10**8)
SMALL_SIZES = (0.001, 0.1, 1, 1, 1, 3, 10, 100)
"""The sizes of letters, if letters occur in exponents."""
MAX_SIGNS = 40
MAX_EXPONENT = 10**8
"""The largest argument of exp."""
MAX_TANH = 1 - mpmath.mpf(10) ** -8
"""Above this, 1 − tanh² would count as 0."""


def real_points(letters: Sequence[Symbol], atoms: Sequence[Expr]) -> list[list[Any]]:
    """Return random values of the letters, always the same, at which all atoms, functions of them, are real.

    Values are near 1, or of all sizes and signs if none are found there. The points include all signs of arguments of
    absolute values that occur. Raises UsageError if there are none.
    """
    generator = random.Random(20)
    absolute = [atom.args[0] for atom in atoms if isinstance(atom, Abs)]
    grows = any(isinstance(atom, exp | sinh | cosh) or (atom.is_Pow and not atom.exp.is_Rational) for atom in atoms)
    sizes = SMALL_SIZES if grows else SIZES
    found: dict[tuple[Any, ...], list[list[Any]]] = {}
    has_large = False
    with mpmath.workdps(DIGITS):
        compute = compiled(letters, [*atoms, *absolute])
        for attempt in range(ATTEMPTS):
            point = [mpmath.mpf(generator.randrange(2**200)) / 2**200 + mpmath.mpf("0.5") for _ in letters]
            if attempt >= NEAR_ATTEMPTS:
                point = [value * generator.choice((-1, 1)) * generator.choice(sizes) for value in point]
            try:
                values = compute(*point)
            except OverflowError:
                has_large = True
                continue
            except (ZeroDivisionError, ValueError):
                continue
            if any(isinstance(value, mpmath.mpc) and value.imag for value in values):
                continue
            if any(abs(value) > MAX_TANH for atom, value in zip(atoms, values, strict=False) if isinstance(atom, tanh)):
                continue
            signs = tuple(mpmath.sign(value) for value in values[len(atoms) :])
            if len(found.setdefault(signs, [])) < POINTS:
                found[signs].append(point)
            if len(found) == MAX_SIGNS or (not absolute and len(found[signs]) == POINTS):
                break
    if not found:
        expected, others = "expected expressions that are real for some values of their letters", ""
        if has_large:
            expected = expected.replace("are real", "can be computed")
            others = f", or exp of more than {MAX_EXPONENT:,}"
        raise UsageError(f"{expected}, found complex numbers{others}, for all that were tried")
    return [point for points in found.values() for point in points]


def compiled(letters: Sequence[Symbol], expressions: Sequence[Expr]) -> Callable[..., Any]:
    """Compile expressions to a function of the letters' values, with the precision of mpmath."""
    modules = [{name: partial(_of_moderate, getattr(mpmath, name)) for name in ("exp", "sinh", "cosh")}, "mpmath"]
    return cast("Callable[..., Any]", lambdify(letters, expressions, modules=modules, dummify=True, cse=True))


def _of_moderate(function: Callable[[mpf], mpf], u: mpf) -> mpf:
    """Return the function's value. Raises OverflowError if it, or the digits of π or log(2) for it, would take long."""
    if abs(u) > MAX_EXPONENT:
        raise OverflowError
    return function(u)


def cancels(terms: Sequence[Any]) -> bool:
    """Return whether their sum is 0 relative to their sizes."""
    size = sum(map(abs, terms))
    return bool(abs(sum(terms)) <= size * NEGLIGIBLE)
