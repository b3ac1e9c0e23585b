"""Build any LinearSystem from a SystemSpec: choose the arithmetic, parse the matrices, check that everything fits."""

from __future__ import annotations

from typing import Any

from implicitgrad.model.conversion import MATRICES, chosen_arithmetic, in_arithmetic
from implicitgrad.model.exact_cost import QUICK, SETTLED, is_quick, least_estimate
from implicitgrad.model.spec import NeedsAlgebra, SystemSpec
from implicitgrad.model.system import AUTO, Arithmetic, LinearSystem
from implicitgrad.numbers.doubles import is_array_of_doubles
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.numbers.symbolic_matrix import SymbolicMatrix
from implicitgrad.numbers.values import are_decimals, with_others
from implicitgrad.readers.systems.matrices import LettersFound, MatrixParser, ParsedMatrix, is_large, shapes_of
from implicitgrad.text.characters import count
from implicitgrad.text.errors import InputError, Problem

GIVEN = ("A", "B", "dL_dy", "x_value", "dx")
"""The matrices that a user may give as arrays."""


def build_general(spec: SystemSpec, arithmetic: str, *, allow_algebra: bool) -> LinearSystem:
    """Build any system, as build_system does. Raise InputError with every problem found."""
    try:
        if spec.linearize is not None:
            if not allow_algebra:
                raise NeedsAlgebra
            spec.linearize()
        return _with_remarks(_build(spec, arithmetic, allow_algebra=allow_algebra), spec)
    except InputError:
        if spec.reread is None:
            raise
    located = spec.reread()
    located.no_letters_hint, located.order, located.in_letters = spec.no_letters_hint, spec.order, spec.in_letters
    return build_general(located, arithmetic, allow_algebra=allow_algebra)


def _with_remarks(system: LinearSystem, spec: SystemSpec) -> LinearSystem:
    """Add the remarks on a matrix that another program displayed."""
    A = spec.values["A"]
    if A.display is None:
        return system
    from implicitgrad.readers.systems.rounded_display import remarks_on_rounding

    return system._replace(remarks=(*system.remarks, *remarks_on_rounding(A)))


def needs_doubles(spec: SystemSpec) -> bool:
    """Return whether one of the matrices is an array of doubles, or the point solves the equations approximately."""
    if spec.origin is not None and spec.origin.residual is not None:
        return True
    values = [spec.values[key].value for key in GIVEN if key in spec.values]
    return any(is_array_of_doubles(value) or _is_sparse(value) for value in values)


def _is_sparse(value: object) -> bool:
    """Return whether a value is a matrix too large to be kept with its zeros."""
    return isinstance(value, BaseMatrix) and value.is_sparse


def _build(spec: SystemSpec, arithmetic: str, *, allow_algebra: bool) -> LinearSystem:
    is_above_limit = is_large(spec)
    chosen = _choose_arithmetic(spec, arithmetic, is_above_limit=is_above_limit)
    try:
        system = _system(
            MatrixParser(spec, chosen, allow_algebra=allow_algebra, is_exact_required=arithmetic == Arithmetic.EXACT)
        )
    except LettersFound:
        if not allow_algebra:
            raise NeedsAlgebra from None
        return _system(MatrixParser(spec, Arithmetic.FLOAT if is_above_limit else Arithmetic.SYMBOLIC))
    if chosen is Arithmetic.EXACT:
        if arithmetic != AUTO or not is_above_limit or is_quick(system):
            return system
        return _system(MatrixParser(spec, Arithmetic.FLOAT))._replace(exactly=lambda: system)
    if arithmetic != AUTO or needs_doubles(spec) or _least_estimate(spec) > SETTLED:
        return system
    return system._replace(exactly=lambda: _system(MatrixParser(spec, Arithmetic.EXACT)))


def _choose_arithmetic(spec: SystemSpec, requested: str, *, is_above_limit: bool) -> Arithmetic:
    """Return whether numbers are parsed as rational numbers or as doubles. Raise InputError, UsageError.

    is_above_limit : whether the system is larger than what is always solved exactly.
    """
    if requested == AUTO:
        is_float = needs_doubles(spec) or (is_above_limit and _least_estimate(spec) > QUICK)
        return Arithmetic.FLOAT if is_float else Arithmetic.EXACT
    chosen = chosen_arithmetic(requested)
    if chosen is Arithmetic.EXACT and any(_is_sparse(value.value) for value in spec.values.values()):
        message = "expected a smaller matrix for exact arithmetic, got one that is kept without its zeros"
        raise InputError([Problem(message, "--arithmetic float solves it", "too-large", spec.source)])
    if spec.origin is not None and spec.origin.residual is not None and chosen is Arithmetic.EXACT:
        message = f"expected a point that solves the equations exactly, got one that leaves {spec.origin.residual}"
        hint = "Without --arithmetic exact, doubles are used there, with bounds on their errors"
        raise InputError([Problem(message, hint, "bad-point", spec.source)])
    return chosen


def _least_estimate(spec: SystemSpec) -> float:
    """Return a lower bound on the seconds of exact arithmetic; 0 if A or B is no matrix."""
    shapes = shapes_of(spec)
    if "A" not in spec.values or any(len(shape) != 2 for shape in shapes):
        return 0.0
    (M, N), *others = shapes
    return least_estimate(M, N, others[0][1] if others else None)


def _system(parser: MatrixParser) -> LinearSystem:
    """Parse all values and check that they fit. Raise InputError with every problem found."""
    spec, problems = parser.spec, parser.problems
    A = parser.matrix("A") if "A" in spec.values else None
    B = parser.matrix("B") if "B" in spec.values else None
    dL_dy, has_one_loss = parser.rows_or_vector("dL_dy")
    x = y = x_value = dx = None
    if A is not None:
        M, N = A.shape
        if B is not None and len(B) != M:
            parser.refuse("B", (), f"B has {count(len(B), 'row')}; expected {M}, as A has", _shapes(A=A, B=B))
        if dL_dy is not None and dL_dy.shape == (N, 1) and N > 1:  # a gradient written as a column
            dL_dy, has_one_loss = dL_dy.transposed(), True
        _check_gradient(parser, dL_dy, A, has_one_loss=has_one_loss)
        if "B" not in spec.values or B is not None:
            owner, P = ("row of A", M) if B is None else ("column of B", B.shape[1])
            x = parser.names("x", P, owner)
        y = parser.names("y", N, "column of A")
        if x is not None and "x_value" in spec.values:
            from implicitgrad.readers.systems.value_of_x import parse_value_of_x

            x_value = parse_value_of_x(parser, x, y or ())
        if x is not None and "dx" in spec.values:
            from implicitgrad.readers.systems.value_of_x import parse_row

            dx = parse_row(parser, "dx", x)
    problems += [with_others(first, len(others)) for first, *others in parser.foreign.values()]
    if problems or A is None or x is None or y is None:
        raise InputError(problems)
    origin = spec.origin
    if origin is not None and "hessian" in spec.values:
        origin = origin._replace(hessian=parser.matrix("hessian"))
    is_number = parser.arithmetic is not Arithmetic.SYMBOLIC and not parser.radii.get("A")
    has_decimals = is_number and are_decimals(spec.values["A"].value)
    system = LinearSystem(
        A, B, dL_dy, has_one_loss, x, y, spec.name, spec.source, has_decimals, origin,
        _remarks(parser) if origin is None else origin.remarks, x_value=x_value, dx=dx, shown=spec.shown,
    )  # fmt: skip
    more: dict[str, Any] = {key: parser.matrix(key) for key in ("constants", "by_letter") if key in spec.values}
    if more:
        letters: Any = spec.values["letters"].value if "letters" in spec.values else ()
        system = system._replace(letters=tuple(letters), **more)
    if parser.arithmetic is Arithmetic.EXACT:
        return system
    return _in_doubles(system, parser) if parser.arithmetic is Arithmetic.FLOAT else _in_field(system, parser)


def _remarks(parser: MatrixParser) -> tuple[tuple[str, str], ...]:
    """Return warnings, code and message, about names that are probably misread."""
    if not parser.expressions:
        return ()
    from implicitgrad.symbolic.grammar.mistaken_names import remarks_on

    return remarks_on(parser.expressions, (), are_entries=True)


def _in_doubles(system: LinearSystem, parser: MatrixParser) -> LinearSystem:
    """Convert the matrices to doubles whose errors include the radii of constants and of the point."""
    try:
        system = in_arithmetic(system, Arithmetic.FLOAT)
    except OverflowError:
        message = "expected numbers within the range of doubles, got one beyond ±1.8e308, or too near to 0"
        hint = "--arithmetic exact takes it as it is"
        raise InputError([Problem(message, hint, "overflow", system.source)]) from None
    widened: dict[str, Any] = {}
    matrices: dict[str, Any] = {key: getattr(system, key) for key in MATRICES}
    for key, matrix in matrices.items():
        if matrix is None:
            continue
        if system.origin is not None and system.origin.radii is not None and key in "AB":
            widened[key] = matrix.widened(system.origin.radii["AB".index(key)])
        elif radii := parser.radii.get(key):
            rows, columns = matrix.shape
            widened[key] = matrix.widened([[radii.get((i, j), 0.0) for j in range(columns)] for i in range(rows)])
    return system._replace(**widened) if widened else system


def _in_field(system: LinearSystem, parser: MatrixParser) -> LinearSystem:
    """Convert the matrices of expressions to matrices over one field. Raise InputError."""
    from implicitgrad.symbolic.function_field.field import Field, differences
    from implicitgrad.symbolic.grammar.expressions import TOO_LARGE

    origin = system.origin
    if parser.spec.in_letters and origin is None:
        from implicitgrad.readers.systems.letters import in_letters

        system = in_letters(system)
    found: dict[str, Any] = {key: getattr(system, key) for key in MATRICES}
    if origin is not None:
        found["hessian"] = origin.hessian
    matrices = {key: matrix for key, matrix in found.items() if matrix is not None}
    if not system.is_local:
        _refuse_variables(parser, matrices, {*system.x, *system.y})
    expressions = [entry for matrix in matrices.values() for row in matrix for entry in row]
    values: dict[str, Any] = {}
    try:
        if "hessian" in matrices and origin is not None and not origin.point:
            expressions += differences(origin.parsed)  # which may make second derivatives shorter
        field = Field(expressions)
        for key, matrix in matrices.items():
            try:
                values[key] = SymbolicMatrix(field, [[field.value(entry) for entry in row] for row in matrix])
            except ZeroDivisionError:
                parser.refuse(key, (), f"{key}: expected entries that exist, got a division by 0", code="bad-number")
    except (OverflowError, RecursionError):
        raise InputError([Problem(TOO_LARGE, None, "too-large", system.source)]) from None
    if parser.problems:
        raise InputError(parser.problems)
    if origin is not None:
        values["origin"] = origin._replace(hessian=values.pop("hessian", None))
    return system._replace(**values)


def _refuse_variables(parser: MatrixParser, matrices: dict[str, Any], variables: set[str]) -> None:
    """Report names of x and y in A and B."""
    for key in [key for key in ("A", "B") if key in matrices]:
        for i, row in enumerate(matrices[key]):
            for j, entry in enumerate(row):
                names = sorted({letter.name for letter in entry.free_symbols} & variables)
                if names:
                    message = f"{key}[{i + 1}][{j + 1}]: expected a coefficient without x and y, got {names[0]!r}"
                    hint = "Give the letter another name; equations may be nonlinear"
                    parser.refuse(key, (i, j), message, hint, "bad-name")


def _check_gradient(parser: MatrixParser, dL_dy: ParsedMatrix | None, A: ParsedMatrix, *, has_one_loss: bool) -> None:
    """Report a gradient whose length is not the number of unknowns."""
    if dL_dy is None or dL_dy.shape[1] == A.shape[1]:
        return
    N = dL_dy.shape[1]
    found = f"has {count(N, 'entry')}" + ("" if has_one_loss else " a row")
    hint = _shapes(A=A, dL_dy=dL_dy)
    if A.shape[0] == N:
        hint += "; ∂L/∂y has an entry for each unknown y, not for each equation"
    parser.refuse("dL_dy", (), f"dL_dy {found}; expected {A.shape[1]}, one for each column of A", hint)


def _shapes(**matrices: ParsedMatrix) -> str:
    return ", ".join(f"{key} is {'×'.join(map(str, matrix.shape))}" for key, matrix in matrices.items())
