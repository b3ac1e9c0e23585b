"""Claims about a system with letters, judged as identities: what holds for almost all values of the letters.

Of nonlinear equations, for almost all that solve them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from implicitgrad.checks import scalar_claims as facts
from implicitgrad.checks.affine_constraints import forms
from implicitgrad.checks.at_values import suspicions_at_points, suspicions_at_values
from implicitgrad.checks.comparison import Comparison, Difference, Rows, row_reduced
from implicitgrad.checks.context import Form, Setting
from implicitgrad.checks.gradient import gradient_fixes_nothing
from implicitgrad.checks.jacobian import jacobian_fixes_nothing
from implicitgrad.checks.solution_set import Decision, Finding, OnCurve
from implicitgrad.model.claims import ClaimedConstraints, Claims, Number, Numbers
from implicitgrad.model.solution import Solution
from implicitgrad.model.verdict import Choice, Outcome
from implicitgrad.symbolic.element import Symbolic
from implicitgrad.symbolic.field import Field, expression_of
from implicitgrad.symbolic.rank_profile import profile_at
from implicitgrad.text.characters import count

NULL = "not to be determined"


def judge_symbolic(solution: Solution, claims: Claims) -> list[Outcome]:
    """The outcome of each claim."""
    return _Judge(solution, claims).outcomes()


class _Judge:
    """The solution and the claims in one field."""

    def __init__(self, solution: Solution, claims: Claims) -> None:
        self.solution, self.system, self.claims = solution, solution.system, claims
        self.setting = Setting(solution, claims)
        general = solution.general
        constraints = None if claims.constraints is None else claims.constraints.matrix
        claimed = [numbers for numbers in (claims.dy_dx, claims.dL_dx, constraints) if numbers is not None]
        own: list[Any] = [general.particular, general.null_space, self.setting.T()]
        own += [matrix for matrix in (general.dL_dx_particular, general.dL_dx_coefficients) if matrix is not None]
        expressions = [expression_of(entry) for matrix in own for row in matrix for entry in row]
        expressions += [entry for numbers in claimed for row in numbers.entries for entry in row if entry is not None]
        self.field = Field(expressions)
        is_anywhere = self.system.is_local and self.system.origin is not None and not self.system.origin.point
        self.curve = OnCurve(solution, self.field.letters) if is_anywhere and claimed else None
        self.comparison = Comparison(self.field, self.curve)

    def outcomes(self) -> list[Outcome]:
        claims, found = self.claims, []
        if claims.status is not None:
            found.append(facts.judge_status(claims.status, self.setting))
        if claims.rank is not None:
            found.append(facts.judge_rank(claims.rank, self.setting))
        general = self.solution.general
        jacobian = None
        if claims.dy_dx is not None:
            outcome = self._matrix(
                claims.dy_dx, general.particular, general.null_space, self.solution.dy_dx, "∂{y}/∂{x}"
            )
            found.append(outcome)
            jacobian = claims.dy_dx if outcome.holds else None
        if claims.dL_dx is not None:
            assert self.solution.dL_dx_rows is not None
            outcome = self._matrix(
                claims.dL_dx, general.dL_dx_particular or (), general.dL_dx_coefficients or (),
                self.solution.dL_dx_rows, "∂L/∂{x}", jacobian,
            )  # fmt: skip
            found.append(outcome)
        if claims.free_parameters is not None:
            found.append(self._free_parameters())
        if claims.dL_dx_unique is not None:
            found.append(facts.judge_uniqueness(claims.dL_dx_unique, self.setting))
        if claims.constraints is not None:
            found.append(self._constraints(claims.constraints))
        if claims.condition is not None:
            reason = "the condition of a matrix with letters is not found"
            found.append(Outcome("condition", False, f"at most {claims.condition.text}", reason, 1))
        return found

    def _matrix(
        self, numbers: Numbers, particular: Any, coefficients: Any, answer: Any, meaning: str,
        jacobian: Numbers | None = None,
    ) -> Outcome:  # fmt: skip
        """Whether a claim is particular + coefficients·Z for some Z, the one of the Jacobian if one is claimed."""
        J, V, T = self._values(particular), self._values(coefficients), self._values(self.setting.T())
        P, width = self.system.inputs, len(numbers.entries[0])
        independent = self.setting.independent
        different: list[Difference] = []

        def name(i: int, j: int) -> str:
            x = self.system.x[j] if width == P else self.solution.independent[j]
            y = self.system.y[i] if numbers.key == "dy_dx" else ""
            return f"{numbers.name(i, j)} ({meaning.format(y=y, x=x)})"

        claimed: list[list[Symbolic | None]] = [[None] * len(independent) for _ in numbers.entries]
        for i, row in enumerate(numbers.entries):
            for j, value in enumerate(row):
                k = j if width == P else independent[j]
                if value is None and answer[i][k] is not None:
                    different.append(Difference(name(i, j), NULL, None, answer[i][k], Finding(Decision.NO)))
            for m, k in enumerate(independent):
                terms = [(j, T[j][m]) for j in range(P) if T[j][m]] if width == P else [(m, self.field.number(1))]
                if any(row[j] is None for j, _ in terms):
                    continue
                found = sum((self.field.value(row[j]) * t for j, t in terms), self.field.number(0))
                claimed[i][m] = found
                slack = sum((self._slack(numbers, i, j) for j, _ in terms), Fraction(0))
                if any(V[i]):
                    continue
                finding = self.comparison.compare(found, J[i][m], slack)
                if finding.answer is not Decision.YES:
                    j = k if width == P else m
                    different.append(Difference(name(i, j), numbers.texts[i][j], found, J[i][m], finding))
        outcome = Outcome(numbers.key, True, numbers.summary())
        if different:
            total = count(len(numbers.entries) * width, "entry")
            wrong = [one for one in different if one.finding.answer is Decision.NO]
            first, *others = wrong or different
            reason = f"{1 + len(others)} of {total}: {self.comparison.said(first)}"
            return self._failed(outcome, numbers, reason, len(wrong), [one.finding for one in wrong])
        for m in range(len(independent)):
            values = [row[m] for row in claimed]
            equations = [
                [*v, value - j[m]] for v, j, value in zip(V, J, values, strict=True) if value is not None and any(v)
            ]
            if jacobian is not None:
                equations += self._known(jacobian, m)
            finding = self.comparison.solve(equations)
            if finding.answer is not Decision.YES:
                what = "no valid ∂y/∂x yields it" if numbers.key == "dL_dx" else "it does not solve A·∂y/∂x = B"
                what = what if jacobian is None else "it does not go with the claimed ∂y/∂x"
                reason = self.comparison.of_column(self.solution.independent[m], what, finding)
                return self._failed(outcome, numbers, reason, int(finding.answer is Decision.NO))
        is_loose = self._is_loose(numbers, coefficients, jacobian)
        if numbers.key == "dy_dx":
            choices, reason = self._chosen(claimed), jacobian_fixes_nothing(self.setting, is_loose)
        else:
            is_loose = is_loose and bool(self.setting.free)
            choices = self._implied(claimed, J, V) if jacobian is None or is_loose else []
            reason = gradient_fixes_nothing(self.setting, is_loose)
        return outcome._replace(choices=tuple(choices), fixes_nothing=reason)

    def _chosen(self, claimed: Rows) -> list[Choice]:
        """A claimed ∂y/∂x's own values of the free parameters."""
        found = []
        for f, y in zip(self.setting.free, self.solution.general.free, strict=True):
            for value, x in zip(claimed[f], self.solution.independent, strict=True):
                if value is not None:
                    found.append(Choice(((Fraction(1), y, x),), value))
        return found

    def _implied(self, claimed: Rows, particular: Rows, coefficients: Rows) -> list[Choice]:
        """What a claimed ∂L/∂x says of the free parameters: coefficients·Z = claimed − particular, row reduced."""
        found = []
        for m, x in enumerate(self.solution.independent):
            rows = [
                [*C, value - p[m]]
                for C, p, values in zip(coefficients, particular, claimed, strict=True)
                if any(C) and (value := values[m]) is not None
            ]
            for *factors, value in row_reduced(rows):
                terms = zip(factors, self.solution.general.free, strict=True)
                found.append(Choice(tuple([(factor, y, x) for factor, y in terms if factor]), value))
        return found

    def _is_loose(self, numbers: Numbers, coefficients: Any, jacobian: Numbers | None) -> bool:
        """Whether any numbers could be met in place of the claimed, beside a claimed ∂y/∂x."""
        own = [form for *_, form in forms(numbers, self.setting, coefficients)]
        given: list[Form] = []
        if jacobian is not None:
            given = [form for *_, form in forms(jacobian, self.setting, self.solution.general.null_space)]
        return bool(own) and self._rank([*own, *given]) == len(own) + self._rank(given)

    def _rank(self, found: Sequence[Form]) -> int:
        unknowns = list(dict.fromkeys(unknown for form in found for unknown in form))
        rows = self._values([[form.get(unknown, Fraction(0)) for unknown in unknowns] for form in found])
        if not rows or not unknowns:
            return 0
        return profile_at(self.field.evaluated(rows, self.field.points[0]), range(len(unknowns)), len(unknowns)).rank

    def _strange(self, numbers: Numbers) -> str:
        """Which letters of a claim the system does not have: a product may lack its sign."""
        matrices: list[Any] = [self.system.A, self.system.B or (), self.system.dL_dy or ()]
        own = [expression_of(entry) for matrix in matrices for row in matrix for entry in row]
        known = {letter.name for expression in own for letter in expression.free_symbols}
        if self.system.origin is not None:
            known |= {name for equation in self.system.origin.parsed for name in equation.names()}
        entries: list[Any] = [entry for row in numbers.entries for entry in row if entry is not None]
        claimed = {letter.name for entry in entries for letter in entry.free_symbols}
        strange = sorted(claimed - known)
        if not strange:
            return ""
        product = next((name for name in strange if len(name) > 1 and known.issuperset(name)), None)
        hint = f"; a product is written {'*'.join(product)}" if product else ""
        return f"; the system has no {', '.join(strange)}{hint}"

    def _known(self, jacobian: Numbers, m: int) -> Rows:
        """What a claimed ∂y/∂x says of the free parameters of a column."""
        general = self.solution.general
        J, V = self._values(general.particular), self._values(general.null_space)
        T = self._values(self.setting.T())
        width, P = len(jacobian.entries[0]), self.system.inputs
        rows = []
        for i, row in enumerate(jacobian.entries):
            terms = [(j, T[j][m]) for j in range(P) if T[j][m]] if width == P else [(m, self.field.number(1))]
            if any(V[i]) and not any(row[j] is None for j, _ in terms):
                value = sum((self.field.value(row[j]) * t for j, t in terms), self.field.number(0))
                rows.append([*V[i], value - J[i][m]])
        return rows

    def _failed(
        self, outcome: Outcome, numbers: Numbers, reason: str, failing: int, findings: Sequence[Finding] = ()
    ) -> Outcome:
        """The outcome of a claim of which so many numbers are wrong; none: nothing is decided.

        findings : of all that are wrong.
        """
        if not failing:
            return outcome._replace(holds=False, is_undecided=True, reason=reason)
        if self.curve is None:
            suspicions = suspicions_at_values(self.solution, numbers)
        else:
            suspicions = suspicions_at_points(self.solution, numbers, self.curve.points)
        if self.curve is not None and findings and not suspicions:  # a mistake that explains the claim says more
            reason += self.curve.right_on_a_part(findings)
        reason += self._strange(numbers)
        return outcome._replace(holds=False, reason=reason, failing=failing, suspicions=suspicions)

    def _free_parameters(self) -> Outcome:
        claimed = self.claims.free_parameters
        assert claimed is not None
        if isinstance(claimed, Number) or len(claimed) != len(self.solution.free_parameters):
            return facts.judge_free_parameters(claimed, self.setting)
        entries = {f"d{y}/d{x}": (i, k) for i, y in enumerate(self.system.y) for k, x in enumerate(self.system.x)}
        chosen: dict[int, list[int]] = {}
        for name in claimed:
            i, k = entries[name]
            chosen.setdefault(k, []).append(i)
        V, T = self._values(self.solution.general.null_space), self._values(self.setting.T())
        holds = not claimed or (
            self._is_invertible([T[k] for k in chosen])
            and all(self._is_invertible([V[i] for i in rows]) for rows in chosen.values())
        )
        names, correct = ", ".join(claimed), ", ".join(self.solution.free_parameters)
        reason = "" if holds else f"{names} cannot be chosen at will; correct is {correct} or a like choice"
        return Outcome("free_parameters", holds, names or "none", reason, 0 if holds else 1)

    def _is_invertible(self, rows: Rows) -> bool:
        n = len(rows)
        if any(len(row) != n for row in rows):
            return False
        return profile_at(self.field.evaluated(rows, self.field.points[0]), range(n), n).rank == n

    def _constraints(self, claimed: ClaimedConstraints) -> Outcome:
        found = self.solution.constraints
        D = 0 if found is None else len(found.dependent)
        size = count(len(claimed.dependent), "constraint") if claimed.dependent else "none"
        outcome = Outcome("constraints", True, size)
        if len(claimed.dependent) != D:
            return outcome._replace(holds=False, reason=f"claimed {size}, correct is {D or 'none'}", failing=1)
        if claimed.matrix is None:
            return outcome
        T = self._values(self.setting.T())
        x = self.system.x
        others = [k for k, name in enumerate(x) if name not in claimed.dependent]
        for i, name in enumerate(claimed.dependent):
            row = [self.field.value(entry) for entry in claimed.matrix.entries[i]]
            for m in range(len(self.solution.independent)):
                along = sum((c * T[k][m] for c, k in zip(row, others, strict=True)), self.field.number(0))
                finding = self.comparison.compare(along, T[x.index(name)][m])
                if finding.answer is not Decision.YES:
                    said = f"{name} = {' + '.join(claimed.matrix.texts[i])} of {', '.join(x[k] for k in others)}"
                    because = f"; {self.curve.said(finding, along, T[x.index(name)][m])}" if self.curve else ""
                    is_undecided = finding.answer is Decision.UNDECIDED
                    reason = f"{'it is not shown' if is_undecided else 'the equations do not say'} that {said}{because}"
                    return outcome._replace(
                        holds=False, is_undecided=is_undecided, reason=reason, failing=int(not is_undecided)
                    )
        return outcome

    def _slack(self, numbers: Numbers, i: int, j: int) -> Fraction:
        rtol, atol = self.claims.rtol, self.claims.atol
        if rtol is None and atol is None:
            return numbers.roundings[i][j]
        value = self.field.value(numbers.entries[i][j])
        size = abs(value.approximation()) if value.is_number else Fraction(0)
        return (atol or Fraction(0)) + (rtol or Fraction(0)) * size

    def _values(self, matrix: Sequence[Sequence[Any]]) -> Rows:
        return [[self.field.value(expression_of(entry)) for entry in row] for row in matrix]
