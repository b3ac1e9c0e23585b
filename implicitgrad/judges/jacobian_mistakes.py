"""The mistakes that people make in ∂y/∂x, held against a claim that fails; where many are valid, any of them counts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from implicitgrad.judges.gradient_mistakes import inverse_of
from implicitgrad.judges.likeness import (
    as_multiple,
    as_rounded,
    but_for_signs,
    explains,
    flat,
    in_another_order,
    matches,
)
from implicitgrad.judges.setting import Along, Setting, complete, product, transpose
from implicitgrad.system import Matrix
from implicitgrad.verdict import Suspicion

LARGEST_TRIED = 64
"""Beyond it the trials take longer than they are worth."""


def suspect_jacobian(claim: Along, setting: Setting) -> Suspicion | None:
    """The mistake that explains a claimed ∂y/∂x that is not valid, if one of the usual does."""
    J = complete(claim.values)
    if J is None or not setting.x or max(len(J), len(J[0])) > LARGEST_TRIED:
        return None
    trial = _Trial(J, claim.tolerances, setting)
    if not any(map(any, J)):
        return Suspicion("zero", "the claim is 0 throughout: was the derivative cut off before it came here?")
    if trial.is_valid(_times(-1, J)):
        return Suspicion("sign", "the claim is the negative of a valid ∂y/∂x: is a sign flipped?")
    for code, message, matrix in _jacobians(setting):
        if _same_shape(matrix, J) and explains(flat(J), flat(claim.tolerances), flat(matrix)):
            return Suspicion(code, message)
    if len(J) == len(J[0]) and trial.is_valid(transpose(J), transpose(claim.tolerances)):
        return Suspicion("transpose", "the claim is the transpose of a valid ∂y/∂x: has it a row for each unknown y?")
    if len(J) == len(J[0]) and trial.is_valid(_times(-1, transpose(J)), transpose(claim.tolerances)):
        return Suspicion("transpose", "the claim is the negative transpose of a valid ∂y/∂x")
    return trial.factor() or trial.flipped() or trial.permuted() or trial.rounded()


def _jacobians(setting: Setting) -> Iterator[tuple[str, str, Matrix]]:
    """What ∂y/∂x would be if it had been computed in one of the usual wrong ways."""
    A, B = setting.system.A, setting.system.B
    if setting.solution.constraints is not None:
        return
    explicit = "was the explicit direction taken for the implicit one?"
    whole = A if B is None else product(A, B) if len(A) == len(A[0]) else None
    name = "A" if B is None else "A·B"
    if B is not None and setting.solution.rank == len(A) == len(A[0]):
        inverse = inverse_of(A)
        yield "unsolved", "the claim equals A⁻¹: was the product with B left out?", inverse
        product_with_B = product(transpose(inverse), B)
        yield "transpose", "the claim equals (Aᵀ)⁻¹·B: is a transpose too many?", product_with_B
        if len(B) == len(B[0]):
            yield "permuted", "the claim equals B·A⁻¹: are the factors exchanged?", product(B, inverse)
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
        return any(map(any, self.BT)) and matches(flat(AJ), flat(slack), flat(self.BT))

    def factor(self) -> Suspicion | None:
        evidence = self.setting.solution.rank * len(self.setting.x)
        return as_multiple(self.AJ, self.slack, self.BT, self.setting, "a valid ∂y/∂x", evidence)

    def flipped(self) -> Suspicion | None:
        """Entries of a ∂y/∂x that is unique."""
        J = complete(self.setting.solution.general.particular)
        if self.setting.free or J is None:
            return None
        names = [[f"∂{y}/∂{x}" for x in self.setting.x] for y in self.setting.y]
        return but_for_signs(self.J, self.tolerances, J, names)

    def permuted(self) -> Suspicion | None:
        """Columns are matched whole, and so are rows where ∂y/∂x is unique; else two rows are exchanged."""
        setting = self.setting
        columns, wanted = transpose(self.AJ), transpose(self.BT)
        order = in_another_order(columns, transpose(self.slack), wanted)
        if order is not None and len(set(wanted)) == len(wanted):
            names = ", ".join(setting.x[m] for m in order)
            return Suspicion("permuted", f"the claim's columns are those of a valid ∂y/∂x in the order {names}")
        if setting.free:
            return self.exchanged()
        order = in_another_order(self.J, self.tolerances, setting.solution.general.particular)
        if order is None:
            return None
        names = ", ".join(setting.y[i] for i in order)
        return Suspicion("permuted", f"the claim's rows are those of ∂y/∂x in the order {names}")

    def exchanged(self) -> Suspicion | None:
        """Two rows i and k of J: that changes A·J by (aₖ − aᵢ)·(Jᵢ − Jₖ), which must undo one wrong entry first."""
        wrong = (
            (r, m)
            for r, row in enumerate(self.AJ)
            for m, value in enumerate(row)
            if abs(value - self.BT[r][m]) > self.slack[r][m]
        )
        r, m = next(wrong, (0, 0))
        a, missing = self.A[r], self.BT[r][m] - self.AJ[r][m]
        for i, k in combinations(range(len(self.J)), 2):
            if abs((a[k] - a[i]) * (self.J[i][m] - self.J[k][m]) - missing) > 2 * self.slack[r][m]:
                continue
            order = list(range(len(self.J)))
            order[i], order[k] = k, i
            J, tolerances = tuple(self.J[n] for n in order), tuple(self.tolerances[n] for n in order)
            if self.is_valid(J, tolerances):
                names = f"{self.setting.y[i]} and {self.setting.y[k]}"
                return Suspicion("permuted", f"with the rows of {names} exchanged the claim is valid")
        return None

    def rounded(self) -> Suspicion | None:
        return as_rounded(self.AJ, self.BT)


def _same_shape(X: Matrix, Y: Matrix) -> bool:
    return len(X) == len(Y) and len(X[0]) == len(Y[0])


def _times(factor: int, X: Matrix) -> Matrix:
    return tuple([tuple([factor * value for value in row]) for row in X])
