"""Solve systems with letters: find the answer for almost all values of the letters, and where it does not hold.

A random point in sixty digits shows the basis rows and columns of [A | B]. With K the block in both, K⁻¹·[A | B] is
computed in the field of rational functions (SymPy's DomainMatrix), without fractions until the end. It is then verified
that every other row depends on the basis rows, so that the rank is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import comb
from typing import Any

from sympy.polys.matrices import DomainMatrix
from sympy.polys.rings import PolyElement, PolyRing

from implicitgrad.model.solution import Solution, assemble
from implicitgrad.model.system import LinearSystem
from implicitgrad.numbers.exact import Reduced, pivot_order
from implicitgrad.numbers.matrix import BaseMatrix
from implicitgrad.numbers.symbolic_matrix import SymbolicMatrix
from implicitgrad.solvers.exact.solver import read_off
from implicitgrad.solvers.free_unknowns import impossible_choice, indices
from implicitgrad.solvers.symbolic.special_cases import find_validity, vanishes_on
from implicitgrad.symbolic.function_field.adjugate import adjugate, has_few_minors
from implicitgrad.symbolic.function_field.element import Symbolic
from implicitgrad.symbolic.function_field.field import Field
from implicitgrad.symbolic.function_field.rank_profile import Profile, profile_at
from implicitgrad.text.errors import UsageError

MAX_SIZE = 16
MAX_ANSWERED = 15_000
"""The most terms in all numerators and denominators of an answer."""
MAX_TERMS = 500
"""The most terms of the common determinant of an answer."""
NOWHERE = (
    "theorem-applies-nowhere",
    "∂F/∂y is singular wherever the equations hold: the implicit function theorem does not apply, and the answer "
    "shown holds for none of their solutions",
)
Values = list[list[Symbolic]]


def solve_symbolic(system: LinearSystem, free: Sequence[str] = ()) -> Solution:
    """Solve as solve_exact, in the field of the system's matrices."""
    A = system.A
    assert isinstance(A, SymbolicMatrix)
    M, N, P = system.equations, system.unknowns, system.inputs
    if max(M, N, P) > MAX_SIZE:
        hint = "Numbers are taken at any size"
        raise UsageError(
            f"{system.source}: expected at most {MAX_SIZE} equations, unknowns and inputs with letters", hint
        )
    field = A.field
    rows = _beside(A, system.B)
    wanted = indices(system, free)
    order = pivot_order(N, P, wanted)
    profile = _profile(field, rows, order, N)
    others = [column for column in range(N + P) if column not in profile.pivots]
    solved, determinant = _solved(
        field,
        [[rows[i][p] for p in profile.pivots] for i in profile.sources],
        [[rows[i][o] for o in others] for i in profile.sources],
        is_limited=True,
    )
    _verify(field, rows, profile, others, solved, N)
    jordan = Reduced(solved, others, profile.pivots, field.number(1), profile.sources)
    found = read_off(jordan, N, P, lambda numerators, _: SymbolicMatrix(field, numerators))
    if not wanted <= set(found.free):
        raise impossible_choice(system, free, found.null_space)
    J = found.particular
    minimum_norm = _minimum_norm(field, A, J, order[:N]) if found.free else J
    remarks: tuple[tuple[str, str], ...] = ()
    if (
        system.origin is not None
        and system.is_local
        and not system.origin.point
        and profile.rank == M
        and vanishes_on(system, field, determinant)
    ):
        remarks = (NOWHERE,)
    validity = find_validity(system, rows, profile, determinant)
    return assemble(system, found, minimum_norm, remarks=remarks, condition_squared=None, validity=validity)


def _profile(field: Field, rows: Iterable[Sequence[Symbolic]], order: Sequence[int], N: int) -> Profile:
    """Return the rank profile of the largest rank; it differs between points only by the sign of an absolute value."""
    found = [profile_at(field.evaluated(rows, point), order, N) for point in field.points]
    return max(found, key=lambda profile: (profile.rank, len(profile.pivots)))


def _beside(A: SymbolicMatrix, B: Iterable[Sequence[Any]] | None) -> Values:
    """Return [A | B]."""
    one, zero = A.field.number(1), A.field.number(0)
    M = len(A)
    right = B or [[one if i == k else zero for k in range(M)] for i in range(M)]
    return [[*a, *b] for a, b in zip(A, right, strict=True)]


def _solved(
    field: Field, K: Sequence[Any], right: Sequence[Any], *, is_limited: bool = False
) -> tuple[list[list[Any]], Any]:
    """Return K⁻¹·right, and the determinant of K with its rows scaled to polynomials.

    is_limited : raise UsageError if the result may be too long to read.
    """
    n = len(K)
    if not n:
        return [], field.constant(1)
    scaled = [field.polynomials([*left, *beside]) for left, beside in zip(K, right, strict=True)]
    if is_limited:
        _refuse_too_long([row[:n] for row in scaled], len(field.generators))
    numerators, determinant = _fraction_free(scaled, field.ring)
    if is_limited:
        terms = sum(len(entry) + len(determinant) for row in numerators for entry in row if entry)
        if terms > MAX_ANSWERED:
            message = f"the answer would have {terms:,} terms; expected at most {MAX_ANSWERED:,}"
            raise UsageError(message, "Give some of the letters numbers")
    solved = [[field.reduced(field.quotient(entry, determinant)) for entry in row] for row in numerators]
    return solved, field.of_polynomial(determinant)


def _fraction_free(
    rows: Sequence[Sequence[PolyElement]], ring: PolyRing
) -> tuple[list[list[PolyElement]], PolyElement]:
    """Return det(K)·K⁻¹·right and det K, for [K | right] with polynomial entries."""
    n = len(rows)
    K, right = [row[:n] for row in rows], [row[n:] for row in rows]
    if has_few_minors(K):
        adjugate_of_K, determinant = adjugate(K, ring.zero)
        columns = list(zip(*right, strict=True))
        products = [
            [sum((a * b for a, b in zip(row, column, strict=True) if a and b), ring.zero) for column in columns]
            for row in adjugate_of_K
        ]
        return products, determinant
    square = DomainMatrix(K, (n, n), ring)
    characteristic = square.charpoly()
    if not right[0]:
        return [[] for _ in K], characteristic[-1]
    method = "charpoly" if all(characteristic) else "rref"  # SymPy 1.14 fails if a coefficient is 0
    numerators, determinant = square.solve_den(DomainMatrix(right, (n, len(right[0])), ring), method=method)
    return numerators.to_list(), determinant


def _refuse_too_long(K: Sequence[Sequence[Any]], generators: int) -> None:
    """Raise UsageError if the determinant of polynomials may have too many terms.

    It has at most as many as there are monomials of its degree, and as the permanent of the entries' numbers of terms.
    """
    degree = sum(max(sum(monomial) for entry in row for monomial in entry.monoms() or [()]) for row in K)
    if comb(generators + degree, degree) <= MAX_TERMS:
        return
    terms = {0: 1}  # for each set of columns, the terms of all ways to choose one in each row so far
    for row in K:
        terms = _with_row(terms, row)
    found = max(terms.values(), default=0)
    if found > MAX_TERMS:
        message = f"the answer would have determinants of up to {found:,} terms; expected at most {MAX_TERMS}"
        raise UsageError(message, "Give some of the letters numbers")


def _with_row(terms: dict[int, int], row: Sequence[Any]) -> dict[int, int]:
    """Return bounds on the terms of minors, by their columns as bits, after expansion along one more row."""
    following: dict[int, int] = {}
    for columns, number in terms.items():
        for j, entry in enumerate(row):
            if entry and not columns >> j & 1:
                following[columns | 1 << j] = following.get(columns | 1 << j, 0) + number * len(entry)
    return following


def _verify(field: Field, rows: Values, profile: Profile, others: Sequence[int], solved: Values, N: int) -> None:
    """Raise UsageError unless every other row is its combination of basis rows, and no pivot row of x involves y."""
    unknowns = [place for place, column in enumerate(others) if column < N]
    if any(row[place] for p, row in zip(profile.pivots, solved, strict=True) if p >= N for place in unknowns):
        raise _sign_decides()
    for i, row in enumerate(rows):
        if i in profile.sources:
            continue
        for place, column in enumerate(others):
            total = sum(
                (row[p] * solution[place] for p, solution in zip(profile.pivots, solved, strict=True)), field.number(0)
            )
            if total != row[column]:
                raise _sign_decides()


def _sign_decides() -> UsageError:
    return UsageError("the rank depends on the sign of an argument of abs", "If the sign is known, leave abs out")


def _minimum_norm(field: Field, A: SymbolicMatrix, J: BaseMatrix[Any], order: Sequence[int]) -> BaseMatrix[Any]:
    """Return Aᵀ·(A·Aᵀ)⁻¹·A·J for independent rows of A that span the others.

    J : any solution. order : the columns in which pivots are sought. Raises UsageError if the result may be too long.
    """
    rows = [A[i] for i in _profile(field, A, order, len(A[0])).sources]
    if not rows:  # A and J are 0
        return J
    _refuse_long_squares([field.polynomials(row) for row in rows])
    columns = list(zip(*rows, strict=True))
    rows_of_A, transposed = SymbolicMatrix(field, rows), SymbolicMatrix(field, columns)
    W, _ = _solved(field, rows_of_A.times(transposed), rows_of_A.times(J))
    return transposed.times(SymbolicMatrix(field, W))


def _refuse_long_squares(rows: Sequence[Sequence[Any]]) -> None:
    """Raise UsageError if det A·Aᵀ, the sum of the squares of A's minors (Cauchy and Binet), may have many terms."""
    terms = {0: 1}  # bounds on the terms of each minor of the rows so far, by its columns
    for row in rows:
        terms = _with_row(terms, row)
        if sum(terms.values()) > MAX_TERMS:
            break
    found = sum(number * (number + 1) // 2 for number in terms.values())
    if found > MAX_TERMS:
        message = f"the choice of minimum norm would have denominators of more than {MAX_TERMS} terms"
        raise UsageError(message, "Give some of the letters numbers")
