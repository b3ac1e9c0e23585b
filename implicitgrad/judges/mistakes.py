"""The mistakes that people make in a backward pass, held against a claim that fails.

A mistake is named only where it explains the claim whole, every entry within its tolerance, so that what is merely
wrong is told nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations, count

from implicitgrad.characters import printable
from implicitgrad.judges.setting import Along, Setting, complete, dot, product, transpose
from implicitgrad.solution import Solution
from implicitgrad.system import Matrix, Row
from implicitgrad.verdict import Suspicion, show

NEARLY = Fraction(1, 10**4)
"""Relative; closer than that is taken for rounding."""
MOST_NAMES = 3
USUAL_FACTORS = (2, 3, 4, 10, 100, 1000)
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
    if _matches(claim, tolerances, expected):
        return None
    for code, message, vector in _gradients(expected, loss, setting, jacobian, others):
        if _explains(claim, tolerances, vector):
            return Suspicion(code, message)
    return (
        _factor([claim], [tolerances], [expected], setting, "∂L/∂x", len(expected))
        or _flipped([claim], [tolerances], [expected], [[f"∂L/∂{x}" for x in setting.x]])
        or _permuted_entries(claim, tolerances, expected, setting)
        or _rounded([claim], [expected])
    )


def suspect_jacobian(claim: Along, setting: Setting) -> Suspicion | None:
    """The mistake that explains a claimed ∂y/∂x that is not valid, if one of the usual does."""
    J = complete(claim.values)
    if J is None or not setting.x:
        return None
    trial = _Trial(J, claim.tolerances, setting)
    if any(map(any, J)) and trial.is_valid(_times(-1, J)):
        return Suspicion("sign", "the claim is the negative of a valid ∂y/∂x: is a sign flipped?")
    for code, message, matrix in _jacobians(setting):
        if _same_shape(matrix, J) and _explains(_flat(J), _flat(claim.tolerances), _flat(matrix)):
            return Suspicion(code, message)
    if len(J) == len(J[0]) and trial.is_valid(transpose(J), transpose(claim.tolerances)):
        return Suspicion("transpose", "the claim is the transpose of a valid ∂y/∂x: has it a row for each unknown y?")
    if len(J) == len(J[0]) and trial.is_valid(_times(-1, transpose(J)), transpose(claim.tolerances)):
        return Suspicion("transpose", "the claim is the negative transpose of a valid ∂y/∂x")
    return trial.factor() or trial.flipped() or trial.permuted() or trial.rounded()


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
        if setting.solution.rank == len(A):
            inverse = _inverse(A)
            yield "transpose", f"the claim equals Bᵀ·A⁻¹·∂L/∂y: {forgotten}", _applied(Bt, _applied(inverse, g))
        yield "explicit", f"the claim equals Bᵀ·Aᵀ·∂L/∂y: {explicit}", _applied(Bt, _applied(transpose(A), g))
        yield "explicit", f"the claim equals Bᵀ·A·∂L/∂y: {explicit}", _applied(Bt, _applied(A, g))
        yield "unsolved", "the claim equals Bᵀ·∂L/∂y: was the solution with Aᵀ left out?", _applied(Bt, g)


def _jacobians(setting: Setting) -> Iterator[tuple[str, str, Matrix]]:
    """What ∂y/∂x would be if it had been computed in one of the usual wrong ways."""
    A, B = setting.system.A, setting.system.B
    if setting.solution.constraints is not None:
        return
    explicit = "was the explicit direction taken for the implicit one?"
    whole = A if B is None else product(A, B) if len(A) == len(A[0]) else None
    name = "A" if B is None else "A·B"
    for sign, also in ((1, ""), (-1, " And is a sign flipped?")):
        mark = "-" if sign < 0 else ""
        if whole is not None:
            yield "explicit", f"the claim equals {mark}{name}: {explicit}{also}", _times(sign, whole)
        if B is None:
            yield "explicit", f"the claim equals {mark}Aᵀ: {explicit}{also}", _times(sign, transpose(A))
        else:
            yield "unsolved", f"the claim equals {mark}B: was the solution with A left out?{also}", _times(sign, B)


class _Trial:
    """A claimed ∂y/∂x whose parts are changed to see whether that makes it valid."""

    def __init__(self, J: Matrix, tolerances: Matrix, setting: Setting) -> None:
        self.J, self.tolerances, self.setting = J, tolerances, setting
        self.A, self.BT = setting.system.A, setting.BT()
        self.AJ = product(self.A, J)
        self.slack = self.slack_of(tolerances)

    def slack_of(self, tolerances: Matrix) -> Matrix:
        """How far from B·T a product A·J may be."""
        return product(tuple([tuple(map(abs, row)) for row in self.A]), tolerances)

    def is_valid(self, J: Matrix, tolerances: Matrix | None = None) -> bool:
        """Whether A·J = B·T within the tolerances."""
        slack = self.slack if tolerances is None else self.slack_of(tolerances)
        return self.is_right(product(self.A, J), slack)

    def is_right(self, AJ: Matrix, slack: Matrix) -> bool:
        """Whether a product A·J is B·T, and that is not 0, which everything small would be."""
        return any(map(any, self.BT)) and _matches(_flat(AJ), _flat(slack), _flat(self.BT))

    def factor(self) -> Suspicion | None:
        evidence = self.setting.solution.rank * len(self.setting.x)
        return _factor(self.AJ, self.slack, self.BT, self.setting, "a valid ∂y/∂x", evidence)

    def flipped(self) -> Suspicion | None:
        """Entries of a ∂y/∂x that is unique."""
        J = complete(self.setting.solution.general.particular)
        if self.setting.free or J is None:
            return None
        names = [[f"∂{y}/∂{x}" for x in self.setting.x] for y in self.setting.y]
        return _flipped(self.J, self.tolerances, J, names)

    def permuted(self) -> Suspicion | None:
        """Columns are matched whole; rows by exchanging two."""
        columns, wanted = transpose(self.AJ), transpose(self.BT)
        order = _matching(columns, transpose(self.slack), wanted)
        if order is not None and len(set(wanted)) == len(wanted):
            names = ", ".join(self.setting.x[m] for m in order)
            return Suspicion("permuted", f"the claim's columns are those of a valid ∂y/∂x in the order {names}")
        for i, k in combinations(range(len(self.J)), 2):
            exchanged, tolerances = list(self.J), list(self.tolerances)
            exchanged[i], exchanged[k] = exchanged[k], exchanged[i]
            tolerances[i], tolerances[k] = tolerances[k], tolerances[i]
            if self.is_valid(tuple(exchanged), tuple(tolerances)):
                names = f"{self.setting.y[i]} and {self.setting.y[k]}"
                return Suspicion("permuted", f"with the rows of {names} exchanged the claim is valid")
        J = complete(self.setting.solution.dy_dx)
        order = None if J is None else _matching(self.J, self.tolerances, J)
        if order is None:
            return None
        names = ", ".join(self.setting.y[i] for i in order)
        return Suspicion("permuted", f"the claim's rows are those of ∂y/∂x in the order {names}")

    def rounded(self) -> Suspicion | None:
        return _rounded(self.AJ, self.BT)


def _factor(
    claim: Sequence[Row],
    tolerances: Sequence[Row],
    expected: Sequence[Row],
    setting: Setting,
    what: str,
    evidence: int,
) -> Suspicion | None:
    """A claim that is a multiple: by any number where several entries agree on it exactly, else by a usual one.

    evidence : how many of the entries say something that no other says.
    """
    c, t, e = _flat(claim), _flat(tolerances), _flat(expected)
    nonzero = [i for i, value in enumerate(e) if value]
    if not nonzero or not all(c[i] for i in nonzero):
        return None
    largest = max(nonzero, key=lambda i: abs(e[i]))
    system = setting.system
    sizes = {system.equations, system.unknowns, system.inputs, len(system.dL_dy or ())} - {0, 1}
    is_single = min(len(nonzero), evidence) == 1
    usual = {2} if is_single else {*USUAL_FACTORS, *sizes}
    factors = [sign * factor for n in sorted(usual) for sign in (1, -1) for factor in (Fraction(n), Fraction(1, n))]
    if not is_single and not any(t):
        factors.append(c[largest] / e[largest])
    for factor in factors:
        if _explains(c, t, tuple(factor * value for value in e)):
            size = abs(factor)
            doubt = f"is a factor of {show(1 / size)} missing" if size < 1 else f"is a factor of {show(size)} too many"
            return Suspicion("factor", f"the claim is {show(factor)} times {what}: {doubt}?")
    return None


def _flipped(
    claim: Sequence[Row], tolerances: Sequence[Row], expected: Sequence[Row], names: list[list[str]]
) -> Suspicion | None:
    """A claim of which some entries, not all, have the other sign."""
    sizes = [tuple(map(abs, _flat(rows))) for rows in (claim, expected)]
    if not _matches(sizes[0], _flat(tolerances), sizes[1]):
        return None
    cells = zip(_flat(claim), _flat(tolerances), _flat(expected), [name for row in names for name in row], strict=True)
    wrong = [name for c, t, e, name in cells if abs(c - e) > t]
    listed = ", ".join(wrong[:MOST_NAMES]) + (f" and {len(wrong) - MOST_NAMES} more" if wrong[MOST_NAMES:] else "")
    return Suspicion("sign", f"the claim is right but for the sign of {listed}")


def suspect_order(claim: Sequence[Row], tolerances: Sequence[Row], expected: Sequence[Row]) -> Suspicion | None:
    """Several losses' gradients in another order."""
    order = _matching(claim, tolerances, expected)
    if order is None or not all(map(any, expected)):
        return None
    names = ", ".join(f"∂L{k + 1}/∂x" for k in order)
    return Suspicion("permuted", f"the claim's rows are right in another order: {names}")


def _permuted_entries(claim: Row, tolerances: Row, expected: Row, setting: Setting) -> Suspicion | None:
    order = _matching([(value,) for value in claim], [(t,) for t in tolerances], [(value,) for value in expected])
    if order is None or not any(claim):
        return None
    names = ", ".join(f"∂L/∂{setting.x[m]}" for m in order)
    return Suspicion("permuted", f"the claim's entries are right in another order: {names}")


def _rounded(claim: Sequence[Row], expected: Sequence[Row]) -> Suspicion | None:
    """A claim whose every digit but the last few is right."""
    c, e = _flat(claim), _flat(expected)
    largest = max(map(abs, e), default=0)
    if not largest:
        return None
    errors = [abs(a - b) / max(abs(b), NEARLY * largest) for a, b in zip(c, e, strict=True)]
    worst = max(errors)
    if not 0 < worst < NEARLY:
        return None
    places = next(places for places in count(4) if worst > Fraction(1, 10 ** (places + 1)))
    message = f"the claim agrees to a relative 1e-{places}: if it is only rounded, a tolerance says so"
    return Suspicion("rounding", f"{message} (--rtol 1e-{places})")


def _matching(claim: Sequence[Row], tolerances: Sequence[Row], expected: Sequence[Row]) -> list[int] | None:
    """For each row of ``claim`` the row of ``expected`` that it is, if that is an exchange and each is met once."""
    left = list(range(len(expected)))
    order = []
    for row, slack in zip(claim, tolerances, strict=True):
        found = next((i for i in left if _matches(row, slack, expected[i])), None)
        if found is None:
            return None
        left.remove(found)
        order.append(found)
    return order if len(order) > 1 and order != sorted(order) else None


def _explains(claim: Row, tolerances: Row, vector: Row) -> bool:
    """Whether ``claim`` is ``vector``, which is not 0, and not merely as close to it as it would be to anything."""
    return _matches(claim, tolerances, vector) and any(abs(v) > t for v, t in zip(vector, tolerances, strict=True))


def _matches(claim: Sequence[Fraction], tolerances: Sequence[Fraction], vector: Sequence[Fraction]) -> bool:
    return len(claim) == len(vector) and all(abs(a - b) <= t for a, b, t in zip(claim, vector, tolerances, strict=True))


def _same_shape(X: Matrix, Y: Matrix) -> bool:
    return len(X) == len(Y) and len(X[0]) == len(Y[0])


def _flat(rows: Sequence[Row]) -> Row:
    return tuple([value for row in rows for value in row])


def _times(factor: int, X: Matrix) -> Matrix:
    return tuple([tuple([factor * value for value in row]) for row in X])


def _applied(X: Matrix, vector: Row) -> Row:
    return tuple([dot(row, vector) for row in X])


def _inverse(A: Matrix) -> Matrix:
    from implicitgrad.solvers import solve

    inverse = complete(solve(A).dy_dx)
    assert inverse is not None
    return inverse
