"""The mistakes that people make in ∂L/∂x, held against a claim that fails.

A mistake is named only where it explains the claim whole, every entry within its tolerance, so that what is merely
wrong is told nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from implicitgrad.characters import printable
from implicitgrad.judges.likeness import as_multiple, as_rounded, but_for_signs, explains, in_another_order, matches
from implicitgrad.judges.setting import Along, Setting, complete, dot, transpose
from implicitgrad.solution import Solution
from implicitgrad.system import Matrix, Row
from implicitgrad.verdict import Suspicion

LARGEST_INVERTED = 64
"""Beyond it an exact inverse takes longer than it is worth."""
Candidate = tuple[str, str, Row]
"""A mistake's code, what it says, and the vector that it would yield."""


def suspect_gradient(
    claim: Row,
    tolerances: Row,
    expected: Row,
    loss: int,
    setting: Setting,
    jacobian: Along | None,
    others: Iterable[Solution],
) -> Suspicion | None:
    """The mistake that turns ``expected``, ∂L/∂x of one loss, into ``claim``, if one of the usual does."""
    if matches(claim, tolerances, expected):
        return None
    if not any(claim):
        return Suspicion("zero", "the claim is 0 throughout: was the gradient cut off before it came here?")
    for code, message, vector in _gradients(expected, loss, setting, jacobian, others):
        if explains(claim, tolerances, vector):
            return Suspicion(code, message)
    return (
        as_multiple([claim], [tolerances], [expected], setting, "∂L/∂x", len(expected))
        or but_for_signs([claim], [tolerances], [expected], [[f"∂L/∂{x}" for x in setting.x]])
        or _permuted_entries(claim, tolerances, expected, setting)
        or as_rounded([claim], [expected])
    )


def suspect_order(claim: Sequence[Row], tolerances: Sequence[Row], expected: Sequence[Row]) -> Suspicion | None:
    """Several losses' gradients in another order."""
    order = in_another_order(claim, tolerances, expected)
    if order is None or not all(map(any, expected)):
        return None
    names = ", ".join(f"∂L{k + 1}/∂x" for k in order)
    return Suspicion("permuted", f"the claim's rows are right in another order: {names}")


def _gradients(
    expected: Row, loss: int, setting: Setting, jacobian: Along | None, others: Iterable[Solution]
) -> Iterator[Candidate]:
    """What ∂L/∂x would be if it had been computed in one of the usual wrong ways."""
    yield "sign", "the claim is the negative of ∂L/∂x: is a sign flipped?", tuple(-value for value in expected)
    gradients = setting.system.dL_dy or ()
    for other in range(len(gradients)):
        row = _determined_gradient(setting.solution, other)
        if other != loss and row is not None:
            yield "stale", f"the claim equals ∂L{other + 1}/∂x: is it the gradient of another loss?", row
    for solution in others:
        row = _determined_gradient(solution, 0)
        if row is not None and len(row) == len(expected):
            where = f"{printable(solution.system.source)} ({printable(solution.system.name)})"
            yield "stale", f"the claim equals ∂L/∂x of {where}: is it the gradient of another loss?", row
    if setting.solution.constraints is None:
        wrong_ways = list(_wrong_products(gradients[loss], setting, jacobian))
        yield from wrong_ways
        for code, message, vector in wrong_ways:
            negative = message.replace("the claim equals ", "the claim equals -", 1)
            yield code, f"{negative} And is a sign flipped?", tuple(-value for value in vector)


def _determined_gradient(solution: Solution, loss: int) -> Row | None:
    row = (solution.dL_dx_rows or ())[loss] if solution.dL_dx_rows else None
    return None if row is None or any(value is None for value in row) else tuple([v for v in row if v is not None])


def _wrong_products(g: Row, setting: Setting, jacobian: Along | None) -> Iterator[Candidate]:
    """Products of A, B, ∂y/∂x and ∂L/∂y that are none of ∂L/∂x."""
    A, B = setting.system.A, setting.system.B
    is_square = len(A) == len(A[0])
    J = complete(setting.solution.dy_dx) or (complete(jacobian.values) if jacobian is not None else None)
    forgotten = "was the transpose forgotten?"
    explicit = "was the explicit direction taken for the implicit one?"
    if B is None:
        if is_square and J is not None:
            name = "A⁻¹" if setting.solution.rank == len(A) else "∂y/∂x"
            yield "transpose", f"the claim equals {name}·∂L/∂y: {forgotten}", _applied(J, g)
        if is_square:
            yield "explicit", f"the claim equals Aᵀ·∂L/∂y: {explicit}", _applied(transpose(A), g)
            yield "unsolved", "the claim equals ∂L/∂y: was the solution with Aᵀ left out?", g
        yield "explicit", f"the claim equals A·∂L/∂y: {explicit}", _applied(A, g)
        return
    if J is not None and len(J) == len(J[0]):
        yield "transpose", f"the claim equals ∂y/∂x·∂L/∂y: {forgotten}", _applied(J, g)
    if is_square:
        Bt = transpose(B)
        if setting.solution.rank == len(A) <= LARGEST_INVERTED:
            inverse = inverse_of(A)
            adjoint = _applied(transpose(inverse), g)
            yield "unsolved", "the claim equals (Aᵀ)⁻¹·∂L/∂y: was the product with Bᵀ left out?", adjoint
            if len(B) == len(B[0]):
                yield "transpose", f"the claim equals B·(Aᵀ)⁻¹·∂L/∂y: {forgotten}", _applied(B, adjoint)
            yield "transpose", f"the claim equals Bᵀ·A⁻¹·∂L/∂y: {forgotten}", _applied(Bt, _applied(inverse, g))
        yield "explicit", f"the claim equals Bᵀ·Aᵀ·∂L/∂y: {explicit}", _applied(Bt, _applied(transpose(A), g))
        yield "explicit", f"the claim equals Bᵀ·A·∂L/∂y: {explicit}", _applied(Bt, _applied(A, g))
        yield "unsolved", "the claim equals Bᵀ·∂L/∂y: was the solution with Aᵀ left out?", _applied(Bt, g)


def _permuted_entries(claim: Row, tolerances: Row, expected: Row, setting: Setting) -> Suspicion | None:
    order = in_another_order(
        [(value,) for value in claim], [(t,) for t in tolerances], [(value,) for value in expected]
    )
    if order is None or not any(claim):
        return None
    names = ", ".join(f"∂L/∂{setting.x[m]}" for m in order)
    return Suspicion("permuted", f"the claim's entries are right in another order: {names}")


def _applied(X: Matrix, vector: Row) -> Row:
    return tuple([dot(row, vector) for row in X])


def inverse_of(A: Matrix) -> Matrix:
    """A⁻¹ of an invertible A."""
    from implicitgrad.solvers import solve

    inverse = complete(solve(A, arithmetic="exact").dy_dx)
    assert inverse is not None
    return inverse
