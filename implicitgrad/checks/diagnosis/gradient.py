"""The mistakes that people make in ∂L/∂x, held against a claim that fails.

A mistake is named only where it explains the claim whole, every entry within its tolerance, so that what is merely
wrong is told nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from implicitgrad.checks.context import Along, Setting, complete, dot, transpose
from implicitgrad.checks.diagnosis.corrections import (
    MAX_EXCHANGED,
    Holds,
    divided,
    exchange,
    is_wide,
    with_columns_ordered,
    with_rows_ordered,
    with_signs_flipped,
    zeros,
)
from implicitgrad.checks.diagnosis.similarity import (
    as_multiple,
    as_rounded,
    but_for_signs,
    explains,
    in_another_order,
    multiples,
    signs_apart,
)
from implicitgrad.model.claims import Numbers
from implicitgrad.model.solution import PartialMatrix, Solution
from implicitgrad.model.system import Matrix
from implicitgrad.model.verdict import Suspicion
from implicitgrad.numbers.exact import Row
from implicitgrad.text.characters import printable

LARGEST_INVERTED = 64
"""Beyond it an exact inverse takes longer than it is worth."""
NEGATIVE = Suspicion("sign", "the claim is the negative of ∂L/∂x: is a sign flipped?")
Candidate = tuple[str, str, Row]
"""A mistake's code, what it says, and the vector that it would yield."""


class Trials(NamedTuple):
    """What a claim is held against."""

    numbers: Numbers
    claim: Along
    wanted: PartialMatrix
    """(K, P′): what ∂L/∂x must be, None where nothing says so."""
    setting: Setting
    jacobian: Along | None
    """The claimed ∂y/∂x, if it is valid."""
    others: Iterable[Solution]
    holds: Holds
    holds_with: Callable[[Setting], bool]
    """The verdict on the claim as it is, with the tolerances of that setting."""

    def tolerances(self, numbers: Numbers) -> Matrix:
        """Those of the verdict."""
        return self.setting.tolerances(numbers, self.setting.system.dL_dy)


class Found(NamedTuple):
    """The mistake in one loss's ∂L/∂x."""

    suspicion: Suspicion
    undone: Numbers | None
    """One row, without the mistake; None where that says nothing of it."""


def suspect_gradient(trials: Trials) -> tuple[Suspicion, ...]:
    """The mistakes that turn each ∂L/∂x that is wrong into what is claimed, if some of the usual do."""
    claimed, right = complete(trials.claim.values), complete(trials.wanted)
    if claimed is not None and right is not None:
        tolerances = trials.claim.tolerances
        order = in_another_order(claimed, tolerances, right) or []
        moved = [i for i, k in enumerate(order) if i != k]
        says_so = all(explains(claimed[i], tolerances[i], right[order[i]]) for i in moved)
        if moved and says_so and _holds(trials, with_rows_ordered(trials.numbers, order)):
            names = ", ".join(f"∂L{k + 1}/∂x" for k in order)
            return (Suspicion("permuted", f"the claim's rows are right in another order: {names}"),)
    wrong = [k for k in range(len(trials.wanted)) if _is_wrong(trials, k)]
    found = {k: mistake for k in wrong if (mistake := _mistake(trials, k)) is not None}
    is_whole = len(found) == len(wrong) and _is_explained(trials, found)
    if not is_whole and _is_negative(trials):
        return (NEGATIVE,)
    if not is_whole and len(trials.wanted) == 1:
        found = {}
    if not found:
        if _is_far(trials):
            return ()
        rounded = as_rounded(trials.numbers, trials.setting, trials.holds_with)
        return () if rounded is None else (rounded,)
    messages = {mistake.suspicion for mistake in found.values()}
    right_rows = [row for k, row in enumerate(trials.numbers.entries) if k not in found and any(row)]
    is_of_all = not right_rows or all(mistake.undone is None for mistake in found.values())
    if is_whole and is_of_all and len(messages) == 1:
        return tuple(messages)
    return tuple([_of_one_loss(mistake.suspicion, k) for k, mistake in found.items()])


def _is_far(trials: Trials) -> bool:
    """Whether an entry is off by a hundredth of the largest, so that no tolerance is to be tried."""
    rows = zip(trials.claim.values, trials.wanted, strict=True)
    known = [(c, e) for row in rows for c, e in zip(*row, strict=True) if c is not None and e is not None]
    largest = max((abs(value) for row in trials.numbers.entries for value in row if value), default=0)
    return any(100 * abs(c - e) > largest for c, e in known)


def _is_negative(trials: Trials) -> bool:
    """Whether the claim with all signs flipped holds, which zeros do not."""
    negative = divided(trials.numbers, -1)
    return _holds(trials, negative) and not trials.holds(zeros(negative), trials.tolerances(negative))


def _is_wrong(trials: Trials, k: int) -> bool:
    rows = zip(trials.claim.values[k], trials.claim.tolerances[k], trials.wanted[k], strict=True)
    return any(value is not None and e is not None and abs(value - e) > t for value, t, e in rows)


def _is_explained(trials: Trials, found: dict[int, Found]) -> bool:
    """Whether the claim holds without the mistakes, as far as they can be undone."""
    entries, roundings = list(trials.numbers.entries), list(trials.numbers.roundings)
    for k, (_, undone) in found.items():
        if undone is None:
            return True
        entries[k], roundings[k] = undone.entries[0], undone.roundings[0]
    return _holds(trials, trials.numbers._replace(entries=tuple(entries), roundings=tuple(roundings)))


def _holds(trials: Trials, undone: Numbers) -> bool:
    return trials.holds(undone, trials.tolerances(undone))


def _of_one_loss(suspicion: Suspicion, k: int) -> Suspicion:
    return suspicion._replace(message=suspicion.message.replace("the claim", f"the claimed ∂L{k + 1}/∂x", 1))


def _mistake(trials: Trials, k: int) -> Found | None:
    """The mistake that turns ∂L/∂x of one loss into ``claim``, if one of the usual does."""
    numbers, setting = trials.numbers, trials.setting
    whole = complete((trials.claim.values[k], trials.wanted[k]))
    if whole is None:
        return None
    (claim, expected), tolerances = whole, trials.claim.tolerances[k]
    if not any(numbers.entries[k]):
        zero = Suspicion("zero", "the claim is 0 throughout: was the gradient cut off before it came here?")
        return Found(zero, None)
    one = numbers._replace(entries=(numbers.entries[k],), roundings=(numbers.roundings[k],))

    def is_right(undone: Numbers) -> bool:
        t = setting.tolerances(undone, (setting.system.dL_dy or ())[k : k + 1])
        along = setting.along(undone, t)
        values = complete(along.values)
        return values is not None and explains(values[0], along.tolerances[0], expected)

    def candidates() -> Iterator[tuple[Suspicion, Numbers]]:
        for factor in multiples([claim], [tolerances], [expected], setting, len(expected)):
            yield as_multiple(factor, "∂L/∂x"), divided(one, factor)
        if not is_wide(one, setting):
            yield from _rearranged(one, claim, tolerances, expected, setting)
        elif len([c for c, t, e in zip(claim, tolerances, expected, strict=True) if abs(c - e) > t]) > 1:
            yield from _exchanged(one, setting)  # one number might be explained by chance

    negative = divided(one, -1)
    if is_right(negative):
        return Found(NEGATIVE, negative)
    for code, message, vector in _gradients(expected, k, trials):
        if explains(claim, tolerances, vector):
            return Found(Suspicion(code, message), None)
    return next((Found(suspicion, undone) for suspicion, undone in candidates() if is_right(undone)), None)


def _rearranged(
    one: Numbers, claim: Row, tolerances: Row, expected: Row, setting: Setting
) -> Iterator[tuple[Suspicion, Numbers]]:
    """Other signs, and another order of the entries."""
    cells = signs_apart([claim], [tolerances], [expected])
    if cells:
        yield but_for_signs([f"∂L/∂{setting.x[m]}" for _, m in cells]), with_signs_flipped(one, cells)
    rows: Iterable[Sequence[Row]] = ([(value,) for value in row] for row in (claim, tolerances, expected))
    order = in_another_order(*rows)
    if order is not None:
        names = ", ".join(f"∂L/∂{setting.x[m]}" for m in order)
        message = f"the claim's entries are right in another order: {names}"
        yield Suspicion("permuted", message), with_columns_ordered(one, order)


def _exchanged(one: Numbers, setting: Setting) -> Iterator[tuple[Suspicion, Numbers]]:
    """The other sign of one entry as written, and two entries exchanged, where a constraint ties them."""
    x = [printable(name) for name in setting.system.x]
    if len(x) > MAX_EXCHANGED:
        return
    for j, value in enumerate(one.entries[0]):
        if value:
            yield but_for_signs([f"∂L/∂{x[j]}"]), with_signs_flipped(one, [(0, j)])
    for i, j in combinations(range(len(x)), 2):
        message = f"with the entries of {x[i]} and {x[j]} exchanged the claim is valid"
        yield Suspicion("permuted", message), with_columns_ordered(one, exchange(len(x), i, j))


def _gradients(expected: Row, loss: int, trials: Trials) -> Iterator[Candidate]:
    """What ∂L/∂x would be if it had been computed in one of the usual wrong ways."""
    setting, gradients = trials.setting, trials.setting.system.dL_dy or ()
    for other in range(len(gradients)):
        row = _unique_gradient(setting.solution, other)
        if row is None and trials.jacobian is not None:
            yielded = complete((trials.wanted[other],))
            row = None if yielded is None else yielded[0]
        if other != loss and row is not None:
            yield "stale", f"the claim equals ∂L{other + 1}/∂x: is it the gradient of another loss?", row
    for solution in trials.others:
        losses = len(solution.system.dL_dy or ())
        for other in range(losses):
            row = _unique_gradient(solution, other)
            if row is not None and len(row) == len(expected):
                L = "L" if losses == 1 else f"L{other + 1}"
                where = f"{printable(solution.system.source)} ({printable(solution.system.name)})"
                yield "stale", f"the claim equals ∂{L}/∂x of {where}: is it the gradient of another loss?", row
    if setting.solution.constraints is None:
        wrong_ways = list(_wrong_products(gradients[loss], setting, trials.jacobian))
        yield from wrong_ways
        for code, message, vector in wrong_ways:
            negative = message.replace("the claim equals ", "the claim equals -", 1)
            yield code, f"{negative} And is a sign flipped?", tuple(-value for value in vector)


def _unique_gradient(solution: Solution, loss: int) -> Row | None:
    """∂L/∂x along the independent inputs, if no free parameter changes it."""
    rows = complete(solution.general.dL_dx_particular or ())
    return rows[loss] if rows and solution.unique_losses[loss] else None


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


def _applied(X: Matrix, vector: Row) -> Row:
    return tuple([dot(row, vector) for row in X])


def inverse_of(A: Matrix) -> Matrix:
    """A⁻¹ of an invertible A."""
    from implicitgrad.readers.python_values import linear_system
    from implicitgrad.solvers.dispatch import solve_system

    inverse = complete(solve_system(linear_system(A, arithmetic="exact")).dy_dx)
    assert inverse is not None
    return inverse
