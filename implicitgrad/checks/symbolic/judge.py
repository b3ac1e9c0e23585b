"""Judge claims about a system with letters as identities, for almost all values of the letters.

Claims about nonlinear equations must hold for almost all values that solve them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from implicitgrad.checks.context import Context
from implicitgrad.checks.derivatives.claim import Claim
from implicitgrad.checks.derivatives.judge import with_what_it_fixes
from implicitgrad.checks.feasibility.decision import Decision
from implicitgrad.checks.scalars import JUDGES, judge_constraints, judge_scalars
from implicitgrad.checks.symbolic.comparison import Difference, SymbolicComparison, row_reduced
from implicitgrad.checks.symbolic.diagnosis import diagnose_at_points, diagnose_at_values
from implicitgrad.checks.symbolic.solution_set import Finding, OnCurve
from implicitgrad.model.claims import ClaimedConstraints, ClaimedMatrix, Claims
from implicitgrad.model.solution import Solution
from implicitgrad.model.verdict import Outcome
from implicitgrad.numbers.symbolic_matrix import SymbolicMatrix
from implicitgrad.symbolic.function_field.field import Field, expression_of
from implicitgrad.symbolic.function_field.rank_profile import profile_at
from implicitgrad.text.characters import count

NULL = "not to be determined"


def judge_symbolic(solution: Solution, claims: Claims) -> list[Outcome]:
    """Return the outcome of each claim."""
    judge = _SymbolicJudge(solution, claims)
    judges = JUDGES | {"constraints": partial(judge_constraints, judge_matrix=judge.judge_constraint_matrix)}
    return judge.judge_matrices() + judge_scalars(claims, judge.context, judges)


class _SymbolicContext(Context):
    """A context with all values in one field."""

    def __init__(self, solution: Solution, claims: Claims, field: Field) -> None:
        super().__init__(solution, claims)
        self.field = field

    def row_reduced(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """Return the rows of [C | c] in reduced echelon form, as Context does, at almost all values of the letters."""
        return row_reduced(rows)

    def rank(self, rows: Sequence[Sequence[Any]]) -> int:
        """Return the rank at a random value of the letters."""
        if not rows or not rows[0]:
            return 0
        width = len(rows[0])
        values = [[self.field.value(expression_of(entry)) for entry in row] for row in rows]
        return profile_at(self.field.evaluated(values, self.field.points[0]), range(width), width).rank


class _SymbolicJudge:
    """The solution and the claims with all values in one field."""

    def __init__(self, solution: Solution, claims: Claims) -> None:
        self.solution, self.system, self.claims = solution, solution.system, claims
        general, constraints = solution.general, solution.constraints
        claimed_constraints = None if claims.constraints is None else claims.constraints.matrix
        claimed = [matrix for matrix in (claims.dy_dx, claims.dL_dx, claimed_constraints) if matrix is not None]
        fields = ("particular", "null_space", "dL_dx_particular", "dL_dx_coefficients")
        own: dict[str, Any] = {name: getattr(general, name) or () for name in fields}
        matrices: list[Any] = [*own.values(), constraints.matrix if constraints else ()]
        expressions = [expression_of(entry) for rows in matrices for row in rows for entry in row]
        expressions += [entry for matrix in claimed for row in matrix.entries for entry in row if entry is not None]
        self.field = Field(expressions)
        in_field: dict[str, Any] = {name: self._matrix(rows) for name, rows in own.items()}
        constraints = constraints and constraints._replace(matrix=self._matrix(constraints.matrix))
        converted = solution._replace(general=general._replace(**in_field), constraints=constraints)
        self.context = _SymbolicContext(converted, claims, self.field)
        is_anywhere = self.system.is_local and self.system.origin is not None and not self.system.origin.point
        self.curve = OnCurve(solution, self.field.letters) if is_anywhere and claimed else None
        self.comparison = SymbolicComparison(self.field, self.curve)

    def judge_matrices(self) -> list[Outcome]:
        """Return the outcomes of ∂y/∂x and of ∂L/∂x, which a valid claimed ∂y/∂x must yield."""
        outcomes = []
        jacobian: Claim | None = None
        for matrix in (self.claims.dy_dx, self.claims.dL_dx):
            if matrix is None:
                continue
            entries: Any = tuple(
                [tuple([None if e is None else self.field.value(e) for e in row]) for row in matrix.entries]
            )
            claim = Claim(matrix._replace(entries=entries), self.context, jacobian)
            outcomes.append(self._judge(claim, matrix))
            jacobian = claim if outcomes[-1].holds else None
        return outcomes

    def _judge(self, claim: Claim, written: ClaimedMatrix) -> Outcome:
        outcome = Outcome(written.key, True, written.summary())
        different = list(self._differences(claim))
        if different:
            wrong = [one for one in different if one.finding.answer is Decision.NO]
            first, *others = wrong or different
            reason = f"{1 + len(others)} of {count(written.entry_count, 'entry')}: {self.comparison.said(first)}"
            return self._failed(outcome, written, reason, len(wrong), [one.finding for one in wrong])
        for m, x in enumerate(self.solution.independent):
            equations = claim.equations(m)
            if claim.jacobian is not None:
                equations += claim.jacobian.equations(m)
            finding = self.comparison.solve(equations)
            if finding.answer is not Decision.YES:
                what = "no valid ∂y/∂x yields it" if claim.is_gradient else "it does not solve A·∂y/∂x = B"
                what = what if claim.jacobian is None else "it does not follow from the claimed ∂y/∂x"
                reason = self.comparison.of_column(x, what, finding)
                return self._failed(outcome, written, reason, int(finding.answer is Decision.NO))
        return with_what_it_fixes(outcome, claim)

    def _differences(self, claim: Claim) -> Iterator[Difference]:
        """Yield the unique entries that are not, or not proved to be, equal to their claims."""
        matrix = claim.matrix
        for deviation in claim.determined_nulls():
            name = f"{deviation.entry} ({deviation.meaning})"
            yield Difference(name, NULL, None, deviation.correct, Finding(Decision.NO))
        rows: Any = zip(claim.family.particular, claim.family.coefficients, claim.values, strict=True)
        for i, (p, C, values) in enumerate(rows):
            for m, value in enumerate(values):
                if value is None or any(C):
                    continue
                columns = [j for j, row in enumerate(self.context.T) if row[m]] if claim.is_wide else [m]
                slack = sum((self._slack(matrix, i, j) for j in columns), Fraction(0))
                finding = self.comparison.compare(value, p[m], slack)
                if finding.answer is not Decision.YES:
                    j = claim.columns[m]
                    name = f"{matrix.name(i, j)} ({claim.meaning(i, j)})"
                    yield Difference(name, matrix.texts[i][j], value, p[m], finding)

    def _unknown_letters(self, matrix: ClaimedMatrix) -> str:
        """Return a clause on letters of a claim that the system lacks; a product may lack its sign."""
        matrices: list[Any] = [self.system.A, self.system.B or (), self.system.dL_dy or ()]
        own = [expression_of(entry) for rows in matrices for row in rows for entry in row]
        known = {letter.name for expression in own for letter in expression.free_symbols}
        if self.system.origin is not None:
            known |= {name for equation in self.system.origin.parsed for name in equation.names()}
        entries: list[Any] = [entry for row in matrix.entries for entry in row if entry is not None]
        claimed = {letter.name for entry in entries for letter in entry.free_symbols}
        unknown = sorted(claimed - known)
        if not unknown:
            return ""
        product = next((name for name in unknown if len(name) > 1 and known.issuperset(name)), None)
        hint = f"; a product is written {'*'.join(product)}" if product else ""
        return f"; the system has no {', '.join(unknown)}{hint}"

    def _failed(
        self, outcome: Outcome, matrix: ClaimedMatrix, reason: str, failing: int, findings: Sequence[Finding] = ()
    ) -> Outcome:
        """Return the outcome of a claim with ``failing`` wrong numbers, undecided if there are none.

        findings : those of the wrong numbers.
        """
        if not failing:
            return outcome.undecided(reason)
        if self.curve is None:
            suspicions = diagnose_at_values(self.solution, matrix)
        else:
            suspicions = diagnose_at_points(self.solution, matrix, self.curve.points)
        if self.curve is not None and findings and not suspicions:  # a mistake that explains the claim is more helpful
            reason += self.curve.right_on_a_part(findings)
        reason += self._unknown_letters(matrix)
        return outcome._replace(holds=False, reason=reason, failing=failing, suspicions=suspicions)

    def judge_constraint_matrix(self, outcome: Outcome, claimed: ClaimedConstraints, context: Context) -> Outcome:
        """Judge the matrix of the right number of claimed constraints."""
        assert claimed.matrix is not None
        T: Any = context.T
        x = self.system.x
        others = [k for k, name in enumerate(x) if name not in claimed.dependent]
        for i, name in enumerate(claimed.dependent):
            row = [self.field.value(entry) for entry in claimed.matrix.entries[i]]
            for m in range(len(self.solution.independent)):
                combined = sum((c * T[k][m] for c, k in zip(row, others, strict=True)), self.field.number(0))
                finding = self.comparison.compare(combined, T[x.index(name)][m])
                if finding.answer is not Decision.YES:
                    said = f"{name} = {' + '.join(claimed.matrix.texts[i])} of {', '.join(x[k] for k in others)}"
                    because = f"; {self.curve.said(finding, combined, T[x.index(name)][m])}" if self.curve else ""
                    is_undecided = finding.answer is Decision.UNDECIDED
                    reason = f"{'it is not shown' if is_undecided else 'the equations do not say'} that {said}{because}"
                    return (
                        outcome.undecided(reason)
                        if is_undecided
                        else outcome._replace(holds=False, reason=reason, failing=1)
                    )
        return outcome

    def _slack(self, matrix: ClaimedMatrix, i: int, j: int) -> Fraction:
        rtol, atol = self.claims.rtol, self.claims.atol
        if rtol is None and atol is None:
            return matrix.roundings[i][j]
        value: Any = matrix.entries[i][j]
        size = abs(value.approximation()) if value.is_number else Fraction(0)
        return (atol or Fraction(0)) + (rtol or Fraction(0)) * size

    def _matrix(self, rows: Sequence[Sequence[Any]]) -> SymbolicMatrix:
        """Return a matrix of numbers, or of elements of any field, with elements of this field."""
        return SymbolicMatrix(self.field, [[self.field.value(expression_of(entry)) for entry in row] for row in rows])
