"""The functions for Python: read_systems, solve and check, solve_program and check_program."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from implicitgrad.checks.judge import judge, solve_to_judge
from implicitgrad.model.program.problem import QuadraticProgram
from implicitgrad.model.program.solution import ProgramSolution
from implicitgrad.model.program.spec import PROGRAM_CLAIMS
from implicitgrad.model.solution import Constraints
from implicitgrad.model.spec import CsvFormat, SourceValue
from implicitgrad.model.system import AUTO, Arithmetic, LinearSystem
from implicitgrad.model.verdict import Verdict
from implicitgrad.numbers.doubles import is_array_of_doubles
from implicitgrad.numbers.values import axes_of, plain
from implicitgrad.readers.arrays.python_values import linear_system
from implicitgrad.readers.claims.reader import build_claims
from implicitgrad.readers.sources import read_specs
from implicitgrad.readers.systems.several import build_all
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.text.errors import UsageError

STACK_AXES = 2
"""An A of more axes is a stack of systems."""
EVERYTHING = ("x", "A", "B")
"""What ∂L is differentiated in where the value of x is known."""
UNIT_ROUNDOFFS = {
    "bfloat16": Fraction(1, 2**8),
    "float16": Fraction(1, 2**11),
    "float32": Fraction(1, 2**24),
}


def read_systems(
    path: str | os.PathLike[str],
    *,
    delimiter: str | None = None,
    decimal: str = ".",
    header: bool | None = None,
    index: bool | None = None,
    arithmetic: str = AUTO,
) -> list[LinearSystem | QuadraticProgram]:
    """Read the systems and quadratic programs in a file, in order; a YAML file has one a document.

    path : .yaml, .yml, .json, .jsonl or .ndjson (a system in JSON on each line), .csv, .tsv, .npy (A), .npz (A, B,
    dL_dy, x, y, claims; or SciPy's, A), .mtx or .mtx.gz (MatrixMarket, A), any other name with ``delimiter`` given
    (CSV), or "-" for standard input (YAML, JSON lines, or CSV with ``delimiter``). header, index : whether a CSV's
    first row is a header, and its first column names the rows;
    None: by its content. A stack in a NumPy file has a system for each index of its leading axes; "stack.npz[17]" is
    one of them. Raises InputError with every problem found.
    """
    if (delimiter is not None and len(delimiter) != 1) or decimal not in (".", ","):
        raise UsageError(
            f"expected a delimiter of one character and a decimal mark . or ,, got {delimiter!r}, {decimal!r}"
        )
    return build_all(read_specs(os.fspath(path), CsvFormat(delimiter, decimal, header, index)), arithmetic)


def solve(
    A: object,
    dL_dy: object = None,
    *,
    B: object = None,
    x: Sequence[str] | None = None,
    y: Sequence[str] | None = None,
    at: object = None,
    name: str | None = None,
    free: str | Sequence[str] = (),
    arithmetic: str = AUTO,
    rtol: float | None = None,
) -> Any:  # noqa: ANN401 (a Solution; Solutions of a stack)
    """Find what B·x = A·y determines of ∂y/∂x and ∂L/∂x: a Solution.

    A : (M, N) nested sequences or array of numbers or their texts, or a LinearSystem, which has all the rest.
    dL_dy : (N,), or (K, N) for K losses. B : (M, P); the identity unless given. x, y : the P and N names.
    at : the value of x, (P,) or a mapping by names; then the solution has y_value, and with dL_dy also dL_dA = −u·yᵀ
    and dL_dB = u·xᵀ, Aᵀu = ∂L/∂y. free : name or names of the unknowns to be free where ∂y/∂x is not unique.

    If A is a stack (…, M, N), with any number of leading axes, so are dL_dy (…, N) or (…, K, N) and B (…, M, P), or
    they are (N,) and (M, P), the same for all systems; ``at`` likewise (…, P) or (P,). The answer is then Solutions, a
    Solution at each index.

    arithmetic : "exact" rational numbers, a float standing for its exact binary value; "float", doubles with bounds on
    their errors; or "auto": doubles for arrays and for
    what would take rational numbers more than about 0.1 s, unless a cutoff would decide the rank and these decide it
    in about 5 s. rtol : in
    doubles, the cutoff on the singular values of the scaled A, relative to the largest; max(M, N)·2⁻⁵² unless given.

    A singular A is an answer. Raises InputError for values that make no system, UsageError for a choice of free
    unknowns that is impossible.
    """
    if isinstance(free, str):
        free = [free]
    if (system := _own_system(A, dL_dy, B, x, y, at, name)) is not None:
        return solve_system(system, free, arithmetic, rtol, gradient_alone=system.is_sparse, wrt=EVERYTHING)
    if axes_of(A) > STACK_AXES:
        from implicitgrad.readers.arrays.python_stacks import python_stack
        from implicitgrad.solvers.stacks import LazyAnswers, Solutions

        stack = python_stack({"A": A, "B": B, "dL_dy": dL_dy, "x": x, "y": y, "x_value": at}, name, arithmetic)
        return Solutions(LazyAnswers(stack, free, rtol, EVERYTHING))
    system = linear_system(A, dL_dy, B=B, x=x, y=y, at=at, name=name, arithmetic=arithmetic)
    return solve_system(system, free, AUTO, rtol, wrt=EVERYTHING)


def solve_program(
    P: object = None,
    q: object = None,
    G: object = None,
    h: object = None,
    A: object = None,
    b: object = None,
    lb: object = None,
    ub: object = None,
    *,
    dL_dz: object = None,
    dL_dlambda: object = None,
    dL_dnu: object = None,
    names: Mapping[str, Sequence[str]] | None = None,
    name: str | None = None,
) -> ProgramSolution:
    """Minimise ½·zᵀPz + qᵀz subject to G·z ≤ h, A·z = b and lb ≤ z ≤ ub, and find the derivatives that exist.

    P : (n, n), positive semidefinite once symmetrised, None for a linear program; or a QuadraticProgram, which has all
    the rest, as read_systems() returns it, also one in letters. q : (n,), 0 unless given. G, A : (m, n), (p, n). lb,
    ub : (n,) or one number for all; None or an infinite entry for no bound. dL_dz : (n,), or (K, n) for K losses;
    dL_dlambda, dL_dnu likewise. names : of the unknowns "z", the rows "G" and the rows "A". Entries are numbers or
    their texts, in nested sequences or arrays, also what numpy.asarray takes; a float is its exact binary value.
    Raises InputError for values that make no program, or no convex one.
    """
    from implicitgrad.readers.program.build import program_of
    from implicitgrad.solvers.program.solver import solve_in_any_arithmetic

    values = {"P": P, "q": q, "G": G, "h": h, "A": A, "b": b, "lb": lb, "ub": ub}
    values |= {"dL_dz": dL_dz, "dL_dlambda": dL_dlambda, "dL_dnu": dL_dnu}
    if isinstance(P, QuadraticProgram):
        if any(given is not None for given in (*values.values(), names, name) if given is not P):
            raise TypeError("a QuadraticProgram has its own q, G, h, A, b, lb, ub, losses, names and name")
        return solve_in_any_arithmetic(P)
    return solve_in_any_arithmetic(program_of(values, names or {}, name or "<python>"))


def check_program(
    P: object = None,
    q: object = None,
    G: object = None,
    h: object = None,
    A: object = None,
    b: object = None,
    lb: object = None,
    ub: object = None,
    *,
    dL_dz: object = None,
    dL_dlambda: object = None,
    dL_dnu: object = None,
    names: Mapping[str, Sequence[str]] | None = None,
    name: str | None = None,
    rtol: object = None,
    atol: object = None,
    **claims: object,
) -> Verdict:
    """Judge claims about a quadratic program and its derivatives.

    P, q, G, h, A, b, lb, ub, dL_dz, … : as in solve_program().
    claims : at least one of status, objective, z, lambda_, lambda_lb, lambda_ub, nu, active, dz_dq, dz_dh, dz_db,
    dz_dlb, dz_dub, dL_dq, dL_dh, dL_db, dL_dlb, dL_dub, dL_dP, dL_dG and dL_dA, and of a program in letters dz_dx and
    dL_dx, as in a file: nested sequences or arrays, also what numpy.asarray takes, None for an entry that is claimed
    not to be determined. A derivative whose two sides differ, or one of which is missing, holds only as {"left": …} or
    {"right": …}.
    rtol, atol : as in check(); by default floats may have the error of a stable solution of the KKT conditions.

    Raises InputError for values that make no program or no claim, TypeError without a claim and for one of another
    name.
    """
    from implicitgrad.checks.program.judge import judge_program
    from implicitgrad.readers.program.claims import build_program_claims

    claims = {key.removesuffix("_"): value for key, value in claims.items()}
    stray = [key for key in claims if key not in PROGRAM_CLAIMS or key == "tolerance"]
    if stray or not claims:
        found = f"got {stray[0]!r}" if stray else "got none"
        raise TypeError(f"expected a claim: status, z, lambda_, nu, dz_dq, dL_dq, dL_dh, ...; {found}")
    solution = solve_program(
        P, q, G, h, A, b, lb, ub, dL_dz=dL_dz, dL_dlambda=dL_dlambda, dL_dnu=dL_dnu, names=names, name=name
    )
    parts = {key: _claim_part(value) for key, value in claims.items()}
    for key, value in claims.items():
        if isinstance(value, Mapping):
            parts |= {f"{key}.{side}": _claim_part(one) for side, one in value.items()}
    tolerances = {"tolerance.rtol": rtol, "tolerance.atol": atol}
    parts |= {key: _part(value) for key, value in tolerances.items() if value is not None}
    return judge_program(solution, build_program_claims(parts, solution))


def check(
    A: object,
    dL_dy: object = None,
    *,
    B: object = None,
    x: Sequence[str] | None = None,
    y: Sequence[str] | None = None,
    at: object = None,
    name: str | None = None,
    status: str | None = None,
    rank: int | None = None,
    dy_dx: object = None,
    dL_dx: object = None,
    dL_dA: object = None,
    dL_dB: object = None,
    free_parameters: int | Sequence[str] | None = None,
    dL_dx_unique: bool | None = None,
    constraints: Constraints | Mapping[str, object] | Sequence[object] | None = None,
    max_condition: object = None,
    rtol: object = None,
    atol: object = None,
    strict: bool = False,
) -> Any:  # noqa: ANN401 (a Verdict; a StackVerdict on a stack)
    """Judge claims about the answer to B·x = A·y and ∂L/∂y.

    A, dL_dy, B, x, y, at, name : as in solve(); A may be a LinearSystem, which has all the rest. If A is a stack,
    claims have its leading axes, or are the same for all systems, and a StackVerdict names those in which one fails.
    status, rank, dy_dx, dL_dx, … : the claims, at least one; dy_dx (N, P) and dL_dx (P,) or (K, P) as nested sequences
    or arrays, None for an entry that is claimed not to be determined; constraints as in a file, () for none. A
    claimed ∂y/∂x holds exactly if A·∂y/∂x = B, a claimed ∂L/∂x exactly if a valid ∂y/∂x yields it, and the one claimed
    if both are. dL_dA (M, N) and dL_dB (M, P) need ``at``; of K losses they are a list of K matrices.
    rtol, atol : |claimed − true| ≤ atol + rtol·|claimed|. By default a text or Decimal claims the digits it has, an
    integer or Fraction is exact, and floats may have the error of a stable computation in their type, ρ·(‖claimed‖ +
    ‖B‖/‖A‖), for ∂L/∂x ρ·(‖claimed‖ + ‖∂L/∂y‖·‖B‖/‖A‖), with ρ = k·condition, at most 2⁻¹⁰ or k, k = 4·max(M, N, P)·u.
    A claim that holds only because its own rounding, or rtol, allows errors as large as the answer is undecided.
    strict : a claim that would hold whatever its numbers were, as any ∂L/∂x does that a singular A leaves free, fails.

    Raises InputError for values that make no system or no claim, TypeError without a claim.
    """
    system = _own_system(A, dL_dy, B, x, y, at, name)
    given: dict[str, object] = {
        "status": status, "rank": rank, "dy_dx": dy_dx, "dL_dx": dL_dx, "dL_dA": dL_dA, "dL_dB": dL_dB,
        "free_parameters": free_parameters,
        "dL_dx_unique": dL_dx_unique, "constraints": constraints, "condition.max": max_condition,
    }  # fmt: skip
    if isinstance(constraints, Constraints):
        constraints = constraints._asdict()
    parts = {key: _part(value) for key, value in given.items() if value is not None}
    if not parts:
        raise TypeError("expected a claim: status, rank, dy_dx, dL_dx, dL_dA, dL_dB, free_parameters, ...")
    if isinstance(constraints, Mapping):
        parts["constraints"] = SourceValue(constraints)
        parts |= {f"constraints.{key}": _part(value) for key, value in constraints.items()}
    elif constraints is not None and len(constraints) == 0:
        parts["constraints"] = SourceValue("null")
    tolerances = {"tolerance.rtol": rtol, "tolerance.atol": atol}
    parts |= {key: _part(value) for key, value in tolerances.items() if value is not None}
    if system is None:
        if axes_of(A) > STACK_AXES:
            from implicitgrad.checks.stack import judge_stack
            from implicitgrad.readers.arrays.python_stacks import ClaimsOfStack, python_stack

            stack = python_stack({"A": A, "B": B, "dL_dy": dL_dy, "x": x, "y": y, "x_value": at}, name, None)
            return judge_stack(stack, ClaimsOfStack(parts, stack.shape), strict=strict)
        is_binary = any(is_array_of_doubles(value) for value in (A, B, dL_dy, at))
        arithmetic = Arithmetic.FLOAT if is_binary else Arithmetic.EXACT
        system = linear_system(A, dL_dy, B=B, x=x, y=y, at=at, name=name, arithmetic=arithmetic)
    solution = solve_to_judge(system)
    verdict = judge(solution, build_claims(parts, solution))
    return verdict.strictly() if strict else verdict


def _own_system(A: object, *others: object) -> LinearSystem | None:
    """Return A if it is a LinearSystem, which has all the others; raise TypeError if one is given, or for a program."""
    if isinstance(A, QuadraticProgram):
        raise TypeError("a QuadraticProgram is solved by solve_program, and checked by check_program")
    if not isinstance(A, LinearSystem):
        return None
    if any(given is not None for given in others):
        raise TypeError("a LinearSystem has its own dL_dy, B, x, y, at and name")
    return A


def _claim_part(value: object) -> SourceValue:
    from implicitgrad.readers.program.build import as_lists

    return _part(value)._replace(value=as_lists(value))


def _part(value: object) -> SourceValue:
    first = value
    while not hasattr(first, "dtype") and isinstance(first, Sequence) and not isinstance(first, str) and first:
        first = first[0]
    dtype = str(getattr(first, "dtype", ""))
    unit_roundoff = next((u for kind, u in UNIT_ROUNDOFFS.items() if kind in dtype), None)
    return SourceValue(plain(value), unit_roundoff=unit_roundoff)
