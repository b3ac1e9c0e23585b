"""Trials: a wrong claim as hypotheses examine it, and the test that confirms a hypothesis.

A mistake is named only if it explains the claim completely, every entry within its tolerance.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import ClassVar, NamedTuple

from implicitgrad.checks.derivatives.claim import Claim
from implicitgrad.checks.derivatives.feasibility import is_valid
from implicitgrad.checks.matrices import absolute, complete, product
from implicitgrad.checks.tolerances import tolerances_of
from implicitgrad.model.claims import ClaimedMatrix
from implicitgrad.model.solution import PartialMatrix, Solution
from implicitgrad.model.system import Matrix
from implicitgrad.model.verdict import Suspicion
from implicitgrad.numbers.exact import Row
from implicitgrad.text.characters import printable


class Hypothesis(NamedTuple):
    """A mistake that may explain a wrong claim."""

    suspicion: Suspicion
    corrected: ClaimedMatrix | None = None
    """The claim with the mistake undone, to be tested; None if the claim is known to be what the mistake yields."""
    factor: Fraction | None = None
    """The factor that the claim was divided by to correct it."""


class Comparison(NamedTuple):
    """Claimed entries, their tolerances and the correct entries, all of one shape."""

    claimed: Matrix
    tolerances: Matrix
    correct: Matrix

    def transposed(self) -> Comparison:
        """Return the same with rows for columns."""
        return Comparison(*[tuple(zip(*matrix, strict=True)) for matrix in self])

    def wrong(self) -> list[tuple[int, int]]:
        """Return the positions of the entries beyond their tolerance."""
        return [
            (i, j)
            for i, rows in enumerate(zip(*self, strict=True))
            for j, (c, t, e) in enumerate(zip(*rows, strict=True))
            if abs(c - e) > t
        ]


class Trial(ABC):
    """A wrong claim, or one loss of it, on which hypotheses are tried."""

    noun: ClassVar[str]
    target: ClassVar[str]
    """The correct quantity, for a message."""

    def __init__(
        self, claim: Claim, matrix: ClaimedMatrix, reduced: Matrix, tolerances: Matrix, compared: Comparison, rank: int
    ) -> None:
        """Set what hypotheses examine.

        matrix : what they correct, the claim or one row of it. reduced : its values with respect to the independent
        inputs. rank : the number of entries of a column that are independent of the others.
        """
        self.claim, self.context, self.matrix, self.rank = claim, claim.context, matrix, rank
        self.reduced, self.tolerances, self.compared = reduced, tolerances, compared
        self.is_wide = self.context.is_wide(matrix)
        self.evidence = rank * len(self.context.x)
        """The number of independent entries."""
        x = self.context.system.x if self.is_wide else self.context.solution.independent
        self.x = list(map(printable, x))
        """The names of the claim's columns as written."""

    @property
    def has_several_wrong(self) -> bool:
        """Return whether at least two numbers are wrong: a single one may be explained by chance."""
        wrong = Counter(m for _, m in self.compared.wrong())
        return sum(min(number, self.rank) for number in wrong.values()) > 1

    def equals(self, candidate: Matrix) -> bool:
        """Return whether the reduced claim is this nonzero matrix."""
        has_its_shape = list(map(len, candidate)) == list(map(len, self.reduced))
        return has_its_shape and explains(flat(self.reduced), flat(self.tolerances), flat(candidate))

    @abstractmethod
    def confirms(self, hypothesis: Hypothesis) -> bool:
        """Return whether a hypothesis explains the claim."""


class JacobianTrial(Trial):
    """A wrong ∂y/∂x without nulls; if several are valid, a corrected claim may be any of them."""

    noun, target = "derivative", "a valid ∂y/∂x"

    def __init__(self, claim: Claim, J: Matrix) -> None:
        """J : (N, P′), the reduced claim."""
        super().__init__(claim, claim.matrix, J, claim.tolerances, _compare(claim, J), claim.context.solution.rank)

    def confirms(self, hypothesis: Hypothesis) -> bool:
        """Return whether the corrected claim is valid, and zeros in its place are not."""
        corrected = hypothesis.corrected
        if corrected is None:
            return True
        tolerances = tolerances_of(corrected, self.context)
        if hypothesis.factor is not None:
            scale = 1 / abs(hypothesis.factor)
            rows = zip(tolerances, self.claim.written_tolerances, strict=True)
            tolerances = tuple([tuple([min(t, scale * own) for t, own in zip(*row, strict=True)]) for row in rows])
        claim = Claim(corrected, self.context, None, tolerances)
        J = complete(claim.values)
        if J is None or not all(map(matches, *_compare(claim, J))):  # a quick test before that of feasibility
            return False
        return is_valid(claim) and not is_valid(Claim(corrected.zeros(), self.context, None, tolerances))


class LossTrial(Trial):
    """A wrong ∂L/∂x of one loss, with its correct value."""

    noun, target = "gradient", "∂L/∂x"

    def __init__(
        self, claim: Claim, wanted: PartialMatrix, loss: int, compared: Comparison, related: Sequence[Solution]
    ) -> None:
        """wanted : (K, P′), the known ∂L/∂x of all losses. compared : one row each, of this loss."""
        entries, roundings = (claim.matrix.entries[loss],), (claim.matrix.roundings[loss],)
        matrix = claim.matrix._replace(entries=entries, roundings=roundings)
        super().__init__(claim, matrix, compared.claimed, compared.tolerances, compared, 1)
        self.wanted, self.loss, self.related = wanted, loss, related

    def confirms(self, hypothesis: Hypothesis) -> bool:
        """Return whether the corrected ∂L/∂x is the correct one."""
        corrected = hypothesis.corrected
        if corrected is None:
            return True
        gradients = (self.context.system.dL_dy or ())[self.loss : self.loss + 1]
        claim = Claim(corrected, self.context, None, tolerances_of(corrected, self.context, gradients))
        values = complete(claim.values)
        return values is not None and explains(values[0], claim.tolerances[0], self.compared.correct[0])


def _compare(claim: Claim, J: Matrix) -> Comparison:
    """Compare ∂y/∂x if it is unique, else A·∂y/∂x."""
    if not claim.context.free:
        return Comparison(J, claim.tolerances, tuple(claim.family.particular))
    A = claim.context.system.A
    return Comparison(product(A, J), product(absolute(A), claim.tolerances), claim.context.BT)


def explains(claimed: Row, tolerances: Row, candidate: Row) -> bool:
    """Return whether ``claimed`` is ``candidate``, and that is nonzero beyond the tolerances."""
    if not matches(claimed, tolerances, candidate):
        return False
    return any(abs(value) > tolerance for value, tolerance in zip(candidate, tolerances, strict=True))


def matches(claimed: Row, tolerances: Row, candidate: Row) -> bool:
    """Return whether every entry is within its tolerance."""
    return len(claimed) == len(candidate) and all(
        abs(a - b) <= t for a, b, t in zip(claimed, candidate, tolerances, strict=True)
    )


def flat(rows: Matrix) -> Row:
    """Return all entries, row after row."""
    return tuple([value for row in rows for value in row])
