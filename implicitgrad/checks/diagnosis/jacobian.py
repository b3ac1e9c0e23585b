"""The mistakes that people make in ∂y/∂x, held against a claim that fails; where many are valid, any of them counts."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

from implicitgrad.checks.context import Along, Setting, complete, dot, product, transpose
from implicitgrad.checks.diagnosis.corrections import (
    MAX_EXCHANGED,
    Holds,
    divided,
    exchange,
    is_wide,
    transposed,
    with_columns_ordered,
    with_rows_ordered,
    with_signs_flipped,
    zeros,
)
from implicitgrad.checks.diagnosis.gradient import inverse_of
from implicitgrad.checks.diagnosis.similarity import (
    as_multiple,
    as_rounded,
    but_for_signs,
    explains,
    flat,
    in_another_order,
    multiples,
    signs_apart,
)
from implicitgrad.model.claims import Numbers
from implicitgrad.model.system import Matrix
from implicitgrad.model.verdict import Suspicion
from implicitgrad.text.characters import printable

LARGEST_TRIED = 64
"""Beyond it the trials take longer than they are worth."""


def suspect_jacobian(numbers: Numbers, claim: Along, setting: Setting, holds: Holds) -> Suspicion | None:
    """The mistake that explains a claimed ∂y/∂x that is not valid, if one of the usual does.

    holds : the verdict on what the claim would be without it.
    """
    J = complete(claim.values)
    if J is None or not setting.x or max(len(J), len(J[0])) > LARGEST_TRIED:
        return None
    if not any(map(any, numbers.entries)):
        return Suspicion("zero", "the claim is 0 throughout: was the derivative cut off before it came here?")
    trial = _Trial(J, numbers, claim, setting, holds)
    if trial.is_valid(divided(numbers, -1)):
        return Suspicion("sign", "the claim is the negative of a valid ∂y/∂x: is a sign flipped?")
    for code, message, matrix in _jacobians(setting):
        if _same_shape(matrix, J) and explains(flat(J), flat(claim.tolerances), flat(matrix)):
            return Suspicion(code, message)
    kinds = (trial.turned, trial.factor, trial.flipped, trial.permuted, trial.rounded)
    return next((suspicion for kind in kinds if (suspicion := kind())), None)


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
    """A claimed ∂y/∂x whose parts are changed, as it was written, to see whether that makes it hold."""

    def __init__(self, J: Matrix, numbers: Numbers, claim: Along, setting: Setting, holds: Holds) -> None:
        self.J, self.numbers, self.tolerances = J, numbers, claim.tolerances
        self.setting, self.holds = setting, holds
        self.A, self.BT = setting.system.A, setting.BT()
        self.particular = complete(setting.solution.general.particular) or ()
        self.is_wide = is_wide(numbers, setting)
        self.shape = len(numbers.entries), len(numbers.entries[0])

    def is_valid(self, undone: Numbers, factor: Fraction | None = None) -> bool:
        """Whether the verdict on ``undone`` is that it holds, and on zeros in its place that they do not.

        factor : what it was divided by, and its tolerances with it.
        """
        tolerances = self.setting.tolerances(undone)
        if factor is not None:
            scaled = divided(self.numbers._replace(roundings=self.setting.tolerances(self.numbers)), factor).roundings
            tolerances = tuple([tuple(map(min, *rows)) for rows in zip(tolerances, scaled, strict=True)])
        return (
            self.is_near(self.setting.along(undone, tolerances))
            and self.holds(undone, tolerances)
            and not self.holds(zeros(undone), tolerances)
        )

    def is_near(self, claim: Along) -> bool:
        """What a claim that holds is, at least: right where no parameter is free, A·J near B·T."""
        general, columns = self.setting.solution.general, range(len(self.setting.x))
        J = complete(claim.values)
        if J is None:
            return False
        for i, V in enumerate(general.null_space):
            if not any(V) and any(abs(J[i][m] - self.particular[i][m]) > claim.tolerances[i][m] for m in columns):
                return False
        if not self.setting.free:
            return True
        sizes = [tuple(map(abs, row)) for row in self.A]
        by_columns = transpose(J), transpose(claim.tolerances)
        return all(
            abs(dot(row, by_columns[0][m]) - self.BT[r][m]) <= dot(sizes[r], by_columns[1][m])
            for r, row in enumerate(self.A)
            for m in columns
        )

    def compared(self) -> tuple[Matrix, Matrix, Matrix]:
        """What the claim says, within what, and what is right: J where that is unique, else A·J."""
        if not self.setting.free:
            return self.J, self.tolerances, self.particular
        sizes = tuple([tuple(map(abs, row)) for row in self.A])
        return product(self.A, self.J), product(sizes, self.tolerances), self.BT

    def says_enough(self) -> bool:
        """Whether two numbers at least are wrong: one might be explained by chance, where much is tried."""
        wrong = [0] * len(self.setting.x)
        for rows in zip(*self.compared(), strict=True):
            for m, (c, t, e) in enumerate(zip(*rows, strict=True)):
                wrong[m] += abs(c - e) > t
        return sum(min(count, self.setting.solution.rank) for count in wrong) > 1

    def turned(self) -> Suspicion | None:
        """Rows for columns."""
        if self.shape[0] != self.shape[1]:
            return None
        if self.is_valid(transposed(self.numbers)):
            doubt = "has it a row for each unknown y?"
            return Suspicion("transpose", f"the claim is the transpose of a valid ∂y/∂x: {doubt}")
        if self.is_valid(divided(transposed(self.numbers), -1)):
            return Suspicion("transpose", "the claim is the negative transpose of a valid ∂y/∂x")
        return None

    def factor(self) -> Suspicion | None:
        """A multiple."""
        evidence = self.setting.solution.rank * len(self.setting.x)
        for factor in multiples(*self.compared(), self.setting, evidence):
            if self.is_valid(divided(self.numbers, factor), factor):
                return as_multiple(factor, "a valid ∂y/∂x")
        return None

    def flipped(self) -> Suspicion | None:
        """Entries of a ∂y/∂x that is unique; one of them where x is constrained and the claim is of every input."""
        setting = self.setting
        if setting.free:
            return None
        tried: list[list[tuple[int, int]]] = [signs_apart(self.J, self.tolerances, self.particular)]
        if self.is_wide:
            cells = [(i, j) for i, row in enumerate(self.numbers.entries) for j, value in enumerate(row) if value]
            tried = [[cell] for cell in cells] if max(self.shape) <= MAX_EXCHANGED and self.says_enough() else []
        for cells in tried:
            if cells and self.is_valid(with_signs_flipped(self.numbers, cells)):
                x = [printable(name) for name in setting.system.x] if self.is_wide else setting.x
                return but_for_signs([f"∂{setting.y[i]}/∂{x[j]}" for i, j in cells])
        return None

    def permuted(self) -> Suspicion | None:
        """Columns, or two of those that a constraint ties; rows where ∂y/∂x is unique, else two of them."""
        setting = self.setting
        columns = self.columns_exchanged() if self.is_wide else self.columns_ordered()
        if columns is not None:
            return columns
        if setting.free:
            return self.rows_exchanged()
        order = in_another_order(self.J, self.tolerances, self.particular)
        if order is None or not self.is_valid(with_rows_ordered(self.numbers, order)):
            return None
        names = ", ".join(setting.y[i] for i in order)
        return Suspicion("permuted", f"the claim's rows are those of ∂y/∂x in the order {names}")

    def columns_ordered(self) -> Suspicion | None:
        """Any order of the columns."""
        order = in_another_order(*map(transpose, self.compared()))
        if order is None or not self.is_valid(with_columns_ordered(self.numbers, order)):
            return None
        names = ", ".join(self.setting.x[m] for m in order)
        return Suspicion("permuted", f"the claim's columns are those of a valid ∂y/∂x in the order {names}")

    def columns_exchanged(self) -> Suspicion | None:
        """Two columns."""
        P = self.shape[1]
        for i, k in combinations(range(P if P <= MAX_EXCHANGED and self.says_enough() else 0), 2):
            if self.is_valid(with_columns_ordered(self.numbers, exchange(P, i, k))):
                x = self.setting.system.x
                names = f"{printable(x[i])} and {printable(x[k])}"
                return Suspicion("permuted", f"with the columns of {names} exchanged the claim is valid")
        return None

    def rows_exchanged(self) -> Suspicion | None:
        """Two rows i and k of J: that changes A·J by (aₖ − aᵢ)·(Jᵢ − Jₖ), which must undo one wrong entry first."""
        if len(self.J) > 2 and not self.says_enough():
            return None
        AJ, slack, BT = self.compared()
        wrong = (
            (r, m) for r, row in enumerate(AJ) for m, value in enumerate(row) if abs(value - BT[r][m]) > slack[r][m]
        )
        r, m = next(wrong, (0, 0))
        a, missing = self.A[r], BT[r][m] - AJ[r][m]
        most = slack[r][m] + sum(map(abs, a)) * max(tolerances[m] for tolerances in self.tolerances)
        for i, k in combinations(range(len(self.J)), 2):
            if abs((a[k] - a[i]) * (self.J[i][m] - self.J[k][m]) - missing) > most:
                continue
            if self.is_valid(with_rows_ordered(self.numbers, exchange(len(self.J), i, k))):
                names = f"{self.setting.y[i]} and {self.setting.y[k]}"
                return Suspicion("permuted", f"with the rows of {names} exchanged the claim is valid")
        return None

    def rounded(self) -> Suspicion | None:
        """Right but for its last digits."""

        def holds(setting: Setting) -> bool:
            tolerances = setting.tolerances(self.numbers)
            return self.is_near(setting.along(self.numbers, tolerances)) and self.holds(self.numbers, tolerances)

        return as_rounded(self.numbers, self.setting, holds)


def _same_shape(X: Matrix, Y: Matrix) -> bool:
    return len(X) == len(Y) and len(X[0]) == len(Y[0])


def _times(factor: int, X: Matrix) -> Matrix:
    return tuple([tuple([factor * value for value in row]) for row in X])
