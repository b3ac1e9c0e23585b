"""Nonlinear equations: textbook curves with their slopes by hand, and the answer to equations given as texts."""

from typing import Any

from implicitgrad import Solution
from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.readers.equations.reader import EquationLine, Point, add_linearization, read_equations
from implicitgrad.readers.systems.build import build_system
from implicitgrad.solvers.dispatch import solve_system

TEXTBOOK = {
    "circle": ("x**2 + y**2 = 25", "-x/y"),
    "folium of Descartes": ("x**3 + y**3 = 6*x*y", "(2*y - x**2)/(y**2 - 2*x)"),
    "product": ("x*y = 1", "-y/x"),
    "product and powers": ("x**2*y**3 + x*y = 2", "-(2*x*y**3 + y)/(3*x**2*y**2 + x)"),
    "sine": ("sin(x + y) = y**2*cos(x)", "(cos(x + y) + y**2*sin(x))/(2*y*cos(x) - cos(x + y))"),
    "cosine of a product": ("cos(x*y) = x", "-(1 + y*sin(x*y))/(x*sin(x*y))"),
    "tangent": ("tan(y) = x", "1/(1 + x**2)"),
    "exponential": ("exp(y) + x*y = 5", "-y/(exp(y) + x)"),
    "exponential of a product": ("exp(x*y) = x + y", "(1 - y*exp(x*y))/(x*exp(x*y) - 1)"),
    "logarithm": ("log(x*y) = x - y", "y*(x - 1)/(x*(1 + y))"),
    "logarithm of y": ("y = x*log(y)", "y*log(y)/(y - x)"),
    "roots": ("sqrt(x) + sqrt(y) = 4", "-sqrt(y)/sqrt(x)"),
    "astroid": ("x**(2/3) + y**(2/3) = 4", "-y**(1/3)/x**(1/3)"),
    "power of powers": ("x**y = y**x", "(x*y*log(y) - y**2)/(x*y*log(x) - x**2)"),
    "absolute value": ("abs(y) + y = x", "1/(1 + y/abs(y))"),
}


def solved(
    *texts: str, y: str, x: str | None = None, at: dict[str, str] | None = None, solve_for: str = "", **asked: Any
) -> Solution:
    """The answer to equations."""
    read = read_equations(
        [EquationLine(text, "t", lambda offset: (1, offset + 1)) for text in texts],
        SourceValue(y.split()), None if x is None else SourceValue(x.split()), "t",
        None
        if at is None
        else Point({name: EquationLine(value, "t") for name, value in at.items()}, solve_for.split(), "t"),
    )  # fmt: skip
    spec = SystemSpec("t", {}, "t")
    add_linearization(spec, read)
    spec.order = asked.get("order", 1)
    return solve_system(build_system(spec), **asked)
