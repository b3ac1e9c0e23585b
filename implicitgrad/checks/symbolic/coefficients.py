"""Judge a claimed ∂L/∂A or ∂L/∂B of a system with letters."""

from __future__ import annotations

from collections.abc import Sequence

from implicitgrad.checks.derivatives.coefficients import NOT_JUDGED
from implicitgrad.checks.feasibility.decision import Decision
from implicitgrad.checks.symbolic.comparison import Difference, SymbolicComparison
from implicitgrad.checks.symbolic.diagnosis import diagnose_at_values
from implicitgrad.checks.symbolic.solution_set import Finding
from implicitgrad.model.claims import ClaimedMatrix
from implicitgrad.model.solution import PartialMatrix, Solution
from implicitgrad.model.verdict import Outcome
from implicitgrad.symbolic.function_field.field import Field, expression_of
from implicitgrad.text.characters import count

NULL = Finding(Decision.NO)


def judge_coefficients_in_letters(matrix: ClaimedMatrix, solution: Solution) -> Outcome:
    """Return the outcome, as an identity for almost all values of the letters; the solution must have the matrices."""
    outcome = Outcome(matrix.key, holds=False, claimed=matrix.summary())
    answers: Sequence[PartialMatrix] = getattr(solution.at_value, matrix.key) or ()
    correct = [row for answer in answers for row in answer]
    own = [expression_of(entry) for row in correct for entry in row if entry is not None]
    field = Field([*own, *(entry for row in matrix.entries for entry in row if entry is not None)])
    comparison = SymbolicComparison(field, None)
    total = count(matrix.entry_count, "entry")
    wrong, doubt = [], ""
    for i, rows in enumerate(zip(matrix.entries, correct, strict=True)):
        for j, (value, expected) in enumerate(zip(*rows, strict=True)):
            name = matrix.name(i, j)
            if expected is None:
                doubt = doubt or ("" if value is None else f"{name} {NOT_JUDGED}")
                continue
            right = field.value(expression_of(expected))
            claimed = None if value is None else field.value(value)
            finding = NULL if claimed is None else comparison.compare(claimed, right, matrix.roundings[i][j])
            if finding.answer is not Decision.YES:
                wrong.append(comparison.said(Difference(name, matrix.texts[i][j], claimed, right, finding)))
    if wrong:
        suspicions = diagnose_at_values(solution, matrix)
        reason = f"{len(wrong)} of {total}: {wrong[0]}"
        return outcome._replace(reason=reason, failing=len(wrong), suspicions=suspicions)
    return outcome.undecided(doubt) if doubt else outcome._replace(holds=True)
