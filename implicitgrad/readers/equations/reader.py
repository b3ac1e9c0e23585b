"""Read equations as A and B: x1 = 2*y1 + y2/3, x1 = a1*y1 + a2*y2, x**2 + y**2 = 25.

Linear equations with numbers as coefficients need no algebra; SymPy differentiates all others. Every name besides those
of x and y is a parameter, and constant terms are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from implicitgrad.model.implicit_equations import ImplicitEquations
from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.model.system import LinearSystem
from implicitgrad.numbers.doubles import Decimals
from implicitgrad.readers.equations.entries import INSTALL_SYMPY
from implicitgrad.readers.equations.linear import coefficients, linear_sums
from implicitgrad.symbolic.grammar.expressions import (
    TOO_LARGE,
    TYPESET,
    Equation,
    ExpressionError,
    names_in,
    read_equation,
    read_expression,
)
from implicitgrad.symbolic.grammar.functions import CONSTANTS, FUNCTIONS
from implicitgrad.symbolic.grammar.mistaken_names import WrittenEntry, refuse_derivative, remarks_on
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.number_texts import as_number, last_place

MAX_COEFFICIENTS = 10_000_000
"""The most coefficients of all equations, with zeros: 2,236 equations in as many unknowns and inputs."""


class EquationLine(NamedTuple):
    """An equation as written."""

    text: str
    source: str
    locate: Callable[[int], tuple[int, int] | None] = lambda offset: None
    """Returns (line, column) of an offset in the text."""


class Point(NamedTuple):
    """The point at which derivatives are taken."""

    values: Mapping[str, EquationLine]
    """The value of each name, a number or an expression without letters."""
    solve_for: Sequence[str] = ()
    """The names whose values are only starting values for Newton's method."""
    source: str | None = None
    position: tuple[int, int] | None = None


class Linearization(NamedTuple):
    """A and B of equations, or the means to compute them with sympy."""

    values: dict[str, SourceValue]
    """A, B, x and y, and the second derivatives ``hessian`` if they were asked for; empty before linearizing."""
    origin: ImplicitEquations | None
    """The equations; None if A and B say all: linear, numbers as coefficients, no constants, every unknown used."""
    linearize: Callable[[int, bool], Linearization] | None = None
    """Computes both, with derivatives up to an order, and in letters if that is true. None if already done."""


def add_linearization(spec: SystemSpec, found: Linearization) -> None:
    """Add A and B of equations to a spec, or the means to compute them; values that are there already stay."""
    for key, value in found.values.items():
        spec.values.setdefault(key, value)
    linearize = found.linearize
    spec.origin, spec.linearize = found.origin, None
    if linearize is not None:
        spec.linearize = lambda: add_linearization(spec, linearize(spec.order, spec.in_letters))


def read_equations(
    lines: Sequence[EquationLine], y: SourceValue | None, x: SourceValue | None, source: str, point: Point | None = None
) -> Linearization:
    """Read equations. Raises InputError.

    y : the unknowns' names. x : the inputs' names; by default those that stand alone on a left side, or else all that
    are no unknowns.
    """
    problems: list[Problem] = []
    equations = []
    elsewhere = set.union(*map(names_in, [line.text for line in lines]), _declared(y, x, point))
    for line in lines:
        try:
            equations.append(read_equation(line.text, elsewhere))
        except ExpressionError as error:
            problems.append(expression_problem(line, error))
    if not lines:
        problems.append(Problem("equations: expected at least one, got none", code="bad-shape", source=source))
    unknowns = given_names("y", y, source, problems)
    inputs = None if x is None else given_names("x", x, source, problems)
    if y is None:
        likely = likely_unknowns(equations) or ["y"]
        hint = f"Name the unknowns: --unknowns {','.join(likely)} (in a file, y: [{', '.join(likely)}])"
        problems.append(Problem("equations: expected the names of the unknowns, got none", hint, "missing-y", source))
    if problems or y is None or unknowns is None:
        raise InputError(problems)
    _refuse_derivatives(lines, equations, unknowns, elsewhere, _declared(y, x, point))
    inputs = inputs or _inputs(equations, unknowns)
    _refuse_unfit(unknowns, inputs, source)
    _refuse_too_many(len(lines), len(unknowns), len(inputs), source)
    sums = None if point is not None else linear_sums(equations)
    remarks = _remarks(lines, equations, _declared(y, x, point))
    x = x or SourceValue(inputs)
    if sums is not None:
        A, B = coefficients(sums, equations, unknowns, inputs)
        parts = _parts(lines, A.written(), None if B.is_identity else B.written(), y, x)
        used = {name for equation in equations for name in equation.names()}
        has_constants = any(total.get("") for total in sums)
        is_plain = used.issuperset(unknowns) and not has_constants
        origin = ImplicitEquations(
            _texts(lines), tuple(equations), is_linear=True, has_constants=has_constants, remarks=remarks
        )
        return Linearization(parts, None if is_plain and not remarks else origin)
    return Linearization({}, None, partial(_by_sympy, lines, equations, unknowns, inputs, y, x, source, point, remarks))


def _declared(y: SourceValue | None, x: SourceValue | None, point: Point | None) -> set[str]:
    """Return the declared names."""
    found = set() if point is None else set(point.values)
    for part in (y, x):
        if part is not None:
            found |= {name for name in _as_list(part.value) if isinstance(name, str)}
    return found


def _remarks(
    lines: Sequence[EquationLine], equations: Sequence[Equation], declared: set[str]
) -> tuple[tuple[str, str], ...]:
    written = [WrittenEntry(line.text, (one.left, one.right)) for line, one in zip(lines, equations, strict=True)]
    return remarks_on(written, declared, defined={one.lone for one in equations if one.lone is not None})


def _refuse_derivatives(
    lines: Sequence[EquationLine],
    equations: Sequence[Equation],
    unknowns: Sequence[str],
    known: set[str],
    declared: set[str],
) -> None:
    """Raise InputError for equations that contain dy/dx, unless both are declared names."""
    problems = []
    for line, equation in zip(lines, equations, strict=True):
        if "/" in line.text and re.search(r"\bd\w", line.text):
            try:
                refuse_derivative(equation, unknowns, known, declared)
            except ExpressionError as error:
                problems.append(expression_problem(line, error))
    if problems:
        raise InputError(problems)


def _refuse_unfit(unknowns: list[str], inputs: list[str], source: str) -> None:
    if not inputs:
        message = "equations: every letter is an unknown; expected one more at least, an input"
        raise InputError([Problem(message, "x1 = 2*y1 + 3*y2 has the input x1", "missing-x", source)])
    known = set(unknowns)
    both = next((name for name in inputs if name in known), None)
    if both is not None:
        message = f"x: expected an input, got the unknown {quoted(both)}"
        raise InputError([Problem(message, "Name it in x or in y", "bad-name", source)])


def _refuse_too_many(M: int, N: int, P: int, source: str) -> None:
    if M * (N + P) > MAX_COEFFICIENTS:
        message = (
            f"equations: expected at most {MAX_COEFFICIENTS:,} coefficients, zeros among them, got {M:,} equations"
        )
        message += f" in {N:,} unknowns and {P:,} inputs"
        hint = "A larger system is read as its matrices, from an .npz file of A and B"
        raise InputError([Problem(message, hint, "too-large", source)])


def _texts(lines: Sequence[EquationLine]) -> tuple[str, ...]:
    typeset = str.maketrans(TYPESET)
    return tuple([line.text.strip().translate(typeset) for line in lines])


def _parts(
    lines: Sequence[EquationLine],
    A: Sequence[Sequence[object]] | Decimals,
    B: Sequence[Sequence[object]] | Decimals | None,
    y: SourceValue,
    x: SourceValue,
) -> dict[str, SourceValue]:
    """Return the values of a spec. B : None if it is the identity."""

    def locate(path: tuple[int, ...]) -> tuple[int, int] | None:
        return lines[path[0] if path else 0].locate(0)

    found = {"A": SourceValue(A, lines[0].source, locate), "y": y, "x": x}
    return found if B is None else found | {"B": SourceValue(B, lines[0].source, locate)}


def _by_sympy(
    lines: Sequence[EquationLine],
    equations: Sequence[Equation],
    unknowns: list[str],
    inputs: list[str],
    y: SourceValue,
    x: SourceValue,
    source: str,
    point: Point | None,
    remarks: tuple[tuple[str, str], ...],
    order: int,
    in_letters: bool,
) -> Linearization:
    """Return A = ∂F/∂y and B = −∂F/∂x of F = left − right, with second derivatives for order 2.

    in_letters : also the derivatives in all names besides x and y, of linear equations those of A and B.
    """
    try:
        from implicitgrad.symbolic.equations.linearize import EquationError, Value, linearize
        from implicitgrad.symbolic.equations.points import PointError
    except ImportError:
        message = "expected linear equations with numbers as coefficients, got others"
        raise InputError(
            [Problem(message, INSTALL_SYMPY, "missing-extra").at(lines[0].source, lines[0].locate(0))]
        ) from None
    point = point or Point({})
    values = {}
    for name, line in point.values.items():
        try:
            node = read_expression(line.text)
            if letter := next(node.names(), None):
                raise ExpressionError(
                    f"at: expected a number for {name}, got the letter {quoted(letter)}", 0, code="bad-point"
                )
        except ExpressionError as error:
            raise InputError([expression_problem(line, error)]) from None
        number = as_number(line.text)
        unit = None if number is None else last_place(number)
        values[name] = Value(line.text, node, (unit or Fraction(0)) / 2)
    try:
        found = linearize(equations, unknowns, inputs, values, point.solve_for, order, in_letters=in_letters)
    except EquationError as error:
        raise InputError([expression_problem(lines[error.equation], error.error)]) from None
    except ExpressionError as error:
        where = "" if (point.source or "").startswith("--") else "at: "
        problem = Problem(f"{where}{error.message}", error.hint, error.code)
        raise InputError([problem.at(point.source or source, point.position)]) from None
    except (OverflowError, RecursionError):
        raise InputError([expression_problem(lines[0], ExpressionError(TOO_LARGE, 0, code="too-large"))]) from None
    except PointError as error:
        is_option = (point.source or "").startswith("--")
        message, hint = error.message, error.hint
        if is_option:
            message = message.removeprefix("at: ").removeprefix("solve_for: ")
            hint = None if hint is None else hint.replace("solve_for: ", "--solve-for ")
        problem = Problem(message, hint, "bad-point")
        if error.equation is not None:
            line = lines[error.equation]
            raise InputError([problem.at(line.source, line.locate(0))]) from None
        raise InputError([problem.at(point.source or source, point.position)]) from None
    identity = [["1" if i == k else "0" for k in range(len(inputs))] for i in range(len(inputs))]
    B = None if list(map(list, found.B)) == identity else found.B
    parts = _parts(lines, found.A, B, y, x)
    if found.hessian is not None:
        parts["hessian"] = SourceValue(found.hessian, lines[0].source)
    given = {"x_value": found.x_value, "constants": found.constants, "by_letter": found.by_letter}
    parts |= {key: SourceValue(value, lines[0].source) for key, value in given.items() if value}
    if found.by_letter:
        parts["letters"] = SourceValue(found.letters)
    nodes = [read_expression(t) if name in point.solve_for else values[name].node for name, t in found.point.items()]
    origin = ImplicitEquations(
        _texts(lines), tuple(equations), found.is_linear, tuple(found.point.items()), tuple(nodes),
        tuple(point.solve_for), found.residual, radii=found.radii, second=found.second,
        hessian_radii=found.hessian_radii,
        has_constants=found.has_constants, remarks=remarks,
    )  # fmt: skip
    return Linearization(parts, origin)


def linearize_without_point(system: LinearSystem) -> Linearization:
    """Linearize the equations of a system at a point anywhere. Raises InputError."""
    origin, y, x = system.origin, list(system.y), list(system.x)
    assert origin is not None
    lines = [EquationLine(text, system.source) for text in origin.equations]
    return _by_sympy(lines, origin.parsed, y, x, SourceValue(y), SourceValue(x), system.source, None, (), 1, False)


def expression_problem(line: EquationLine, error: ExpressionError) -> Problem:
    """Return the problem of an expression with its place."""
    return Problem(error.message, error.hint, error.code).at(line.source, line.locate(error.offset))


def _inputs(equations: Sequence[Equation], unknowns: Sequence[str]) -> list[str]:
    """Return the names alone on a left side, or else all that are no unknowns, in order of appearance."""
    known = set(unknowns)
    lone = [equation.lone for equation in equations if equation.lone is not None and equation.lone not in known]
    others = (name for equation in equations for name in equation.names() if name not in known)
    return list(dict.fromkeys(lone)) or list(dict.fromkeys(others))


def likely_unknowns(equations: Sequence[Equation]) -> list[str]:
    """Return the names that are probably meant as unknowns: y, y1, …; or all that are no inputs; or the last."""
    names = list(dict.fromkeys(name for equation in equations for name in equation.names()))
    lone = {equation.lone for equation in equations}
    likely = [name for name in names if re.fullmatch("y[0-9]*", name)]
    others = [name for name in names if name not in lone] if lone != {None} else names[-1:]
    return likely or others


def given_names(key: str, part: SourceValue | None, source: str, problems: list[Problem]) -> list[str] | None:
    """Return the names that stand in expressions, and append a problem for each that cannot; None if there are none."""
    if part is None:
        return None
    value = _as_list(part.value)
    for i, name in enumerate(value):
        is_name = isinstance(name, str) and name.isidentifier()
        if not is_name or name in FUNCTIONS + CONSTANTS:
            shown = quoted(name) if isinstance(name, str) else "a list"
            message = f"{key}[{i + 1}]: expected a name of letters, digits and _, to stand in an equation, got {shown}"
            hint = f"Names stand in brackets: [{quoted(name)[1:-1]}]" if isinstance(name, str) and "," in name else None
            place = part.locate((i,) if isinstance(part.value, list) else ())
            problems.append(Problem(message, hint, "bad-name").at(part.source or source, place))
    return [str(name) for name in value]


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
