"""Judge a claimed ∂L/∂A or ∂L/∂B entry by entry, and name the mistake that a wrong one probably comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.checks.context import Context
from implicitgrad.checks.diagnosis.formula import FORGOTTEN, MAX_INVERTED
from implicitgrad.checks.diagnosis.multiples import USUAL_FACTORS
from implicitgrad.checks.diagnosis.suspicions import SIGNS
from implicitgrad.checks.diagnosis.trial import explains, flat, matches
from implicitgrad.checks.matrices import complete, inverse, times, transpose
from implicitgrad.checks.outcomes import not_finite, why_it_proves_nothing
from implicitgrad.checks.tolerances import tolerances_of
from implicitgrad.model.claims import ClaimedMatrix
from implicitgrad.model.solution import PartialMatrix, Solution
from implicitgrad.model.system import Matrix
from implicitgrad.model.verdict import Deviation, Outcome, Suspicion, show
from implicitgrad.numbers.exact import Row
from implicitgrad.solvers.derived.value import with_value
from implicitgrad.solvers.dispatch import solve_alone
from implicitgrad.text.characters import count

NOT_JUDGED = "is not determined, and a number there cannot be judged; null claims just that"


class _ClaimedLoss(NamedTuple):
    """The part of a claim that is about one loss, and the right one."""

    number: int
    name: str
    """∂L/∂A, or ∂L2/∂B."""
    claimed: PartialMatrix
    tolerances: Matrix
    correct: PartialMatrix


def with_coefficients(solution: Solution) -> Solution:
    """Return the solution with y at the value of x, ∂L/∂A and ∂L/∂B. Raises InputError if there is no such y."""
    return with_value(solution, "AB", solve_alone)


def judge_coefficients(matrix: ClaimedMatrix, context: Context) -> Outcome:
    """Return the outcome of a claimed ∂L/∂A or ∂L/∂B; the solution must have it."""
    outcome = Outcome(matrix.key, holds=False, claimed=matrix.summary())
    if matrix.non_finite:
        return not_finite(outcome, matrix)
    losses = _losses(matrix, context)
    deviations = [one for loss in losses for one in _deviations(matrix, loss)]
    if deviations:
        failed = outcome.failed(deviations, f"{len(deviations)} of {count(matrix.entry_count, 'entry')}")
        suspicions = (_suspicion(context, matrix.key, losses, loss) for loss in losses)
        return failed._replace(suspicions=tuple(filter(None, suspicions)))
    doubt = next(filter(None, (_doubt(matrix, context, loss) for loss in losses)), "")
    return outcome.undecided(doubt) if doubt else outcome._replace(holds=True)


def _losses(matrix: ClaimedMatrix, context: Context) -> list[_ClaimedLoss]:
    M, K = context.system.equations, len(context.system.dL_dy or ())
    answers: Sequence[PartialMatrix] = getattr(context.solution.at_value, matrix.key) or ()
    tolerances = tolerances_of(matrix, context)
    suffixes = [""] if K == 1 else [str(k + 1) for k in range(K)]
    return [
        _ClaimedLoss(
            k, f"∂L{suffix}/∂{matrix.key[-1]}", matrix.entries[M * k : M * (k + 1)], tolerances[M * k : M * (k + 1)],
            tuple(answer),
        )
        for k, (suffix, answer) in enumerate(zip(suffixes, answers, strict=True))
    ]  # fmt: skip


def _deviations(matrix: ClaimedMatrix, loss: _ClaimedLoss) -> Iterator[Deviation]:
    """Yield the entries that are wrong: other numbers, and null for what is determined."""
    first = loss.number * len(loss.correct)
    for i, rows in enumerate(zip(loss.claimed, loss.correct, loss.tolerances, strict=True)):
        for j, (value, correct, tolerance) in enumerate(zip(*rows, strict=True)):
            if correct is None or (value is not None and abs(value - correct) <= tolerance):
                continue
            entry, meaning = matrix.name(first + i, j), f"{loss.name}[{i + 1}][{j + 1}]"
            yield Deviation(entry, meaning, matrix.texts[first + i][j], value, correct, tolerance)


def _doubt(matrix: ClaimedMatrix, context: Context, loss: _ClaimedLoss) -> str:
    """Return why a claim without wrong entries is not decided, "" if it is."""
    first = loss.number * len(loss.correct)
    known = []
    for i, rows in enumerate(zip(loss.claimed, loss.correct, loss.tolerances, strict=True)):
        for j, (value, correct, tolerance) in enumerate(zip(*rows, strict=True)):
            if value is not None and correct is None:
                return f"{matrix.name(first + i, j)} {NOT_JUDGED}"
            if value is not None and correct is not None:
                known.append(((first + i, j), value, correct, tolerance))
    return "" if context.claims.atol is not None else why_it_proves_nothing(known, matrix.name)


def _suspicion(context: Context, key: str, losses: Sequence[_ClaimedLoss], loss: _ClaimedLoss) -> Suspicion | None:
    """Return the mistake that turns the right matrix of one loss into what is claimed, if one does."""
    claimed, correct, tolerances = complete(loss.claimed), complete(loss.correct), flat(loss.tolerances)
    if claimed is None or correct is None or matches(flat(claimed), tolerances, flat(correct)):
        return None
    said = "the claim" if len(losses) == 1 else f"the claimed {loss.name}"
    if not any(map(any, claimed)):
        return Suspicion("zero", f"{said} is 0 throughout: was the gradient cut off before it came here?")
    candidates = [*_mistakes(context, key, losses, loss, correct), *_multiples(context, loss.name, correct)]
    for code, name, doubt, candidate in candidates:
        if len(candidate) != len(claimed) or len(candidate[0]) != len(claimed[0]):
            continue
        for sign, _, also in SIGNS:
            if explains(flat(claimed), tolerances, flat(_scaled(candidate, sign))):
                return Suspicion(code, f"{said} {name}: {doubt}{also}")
    return None


def _mistakes(
    context: Context, key: str, losses: Sequence[_ClaimedLoss], loss: _ClaimedLoss, correct: Matrix
) -> Iterator[tuple[str, str, str, Matrix]]:
    """Yield the code, the description, a question and the value of what −u·yᵀ or u·xᵀ is mistaken for."""
    at, system, A = context.solution.at_value, context.system, context.system.A
    assert at is not None
    assert system.x_value is not None
    yield "sign", f"is the negative of {loss.name}", "is a sign flipped?", _scaled(correct, -1)
    for other in losses:
        if other.number != loss.number and (rows := complete(other.correct)) is not None:
            yield "stale", f"equals {other.name}", "is it the gradient of another loss?", rows
    exchanged = "are the factors of the outer product exchanged?"
    yield "transpose", f"is the transpose of {loss.name}", exchanged, transpose(correct)
    x, g = system.x_value[0], (system.dL_dy or ())[loss.number]
    y = complete(at.y or ())
    if y is None:
        return
    factor, name, sign, mark = (y[0], "y", -1, "-") if key == "dL_dA" else (x, "x", 1, "")
    u = _left_factor(correct, factor, sign)
    if u is None:
        return
    factors = {"y": y[0], "x": x} | ({} if system.B is None else {"(B·x)": times(system.B, x)})
    products: list[tuple[str, str, str, Row, Row]] = []
    for other_name, vector in factors.items():
        if other_name != name:
            doubt = f"was {other_name} taken for {name}"
            products.append(("operand", f"u·{other_name}ᵀ", f"{doubt}?", u, vector))
            products.append(("operand", f"{other_name}·uᵀ", f"{doubt}, and the product exchanged?", vector, u))
    products.append(("unsolved", f"∂L/∂y·{name}ᵀ", "was the solution with Aᵀ left out?", g, factor))
    if len(A) == len(A[0]) == context.solution.rank <= MAX_INVERTED:
        products.append(("transpose", f"(A⁻¹·∂L/∂y)·{name}ᵀ", FORGOTTEN, times(inverse(A), g), factor))
    if system.B is not None:
        doubt = "was ∂L/∂x taken for the solution with Aᵀ?"
        products.append(("operand", f"∂L/∂x·{name}ᵀ", doubt, times(transpose(system.B), u), factor))
    for code, product, doubt, left, right in products:
        yield code, f"equals {mark}{product}", doubt, [tuple([sign * a * b for b in right]) for a in left]


def _multiples(context: Context, target: str, correct: Matrix) -> Iterator[tuple[str, str, str, Matrix]]:
    """Yield the usual multiples, as _mistakes."""
    system = context.system
    sizes = {system.equations, system.unknowns, system.inputs, len(system.dL_dy or ()), *USUAL_FACTORS} - {0, 1}
    for n in sorted(sizes):
        for f in (Fraction(n), Fraction(1, n)):
            doubt = f"is a factor of {n} {'too many' if f > 1 else 'missing'}?"
            yield "factor", f"is {show(f)} times {target}", doubt, _scaled(correct, f)


def _left_factor(matrix: Matrix, right: Row, sign: int) -> Row | None:
    """Return u of sign·u·rightᵀ, None if ``right`` is 0."""
    j = max(range(len(right)), key=lambda j: abs(right[j]))
    return tuple([sign * row[j] / right[j] for row in matrix]) if right[j] else None


def _scaled(matrix: Matrix, factor: Fraction | int) -> Matrix:
    return tuple([tuple([factor * value for value in row]) for row in matrix])
