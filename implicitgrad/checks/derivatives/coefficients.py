"""Judge a claimed ∂L/∂A or ∂L/∂B entry by entry, and name the mistake that a wrong one probably comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.checks.context import Context
from implicitgrad.checks.diagnosis.factor import USUAL_FACTORS
from implicitgrad.checks.diagnosis.formula import FORGOTTEN, MAX_INVERTED, inverse_of
from implicitgrad.checks.diagnosis.trial import explains, flat
from implicitgrad.checks.matrices import complete, dot, product, root_above, transpose
from implicitgrad.checks.tolerances import tolerances_of
from implicitgrad.model.claims import ClaimedMatrix
from implicitgrad.model.solution import PartialMatrix
from implicitgrad.model.system import Matrix
from implicitgrad.model.verdict import Deviation, Outcome, Suspicion, show, show_short
from implicitgrad.numbers.exact import Row
from implicitgrad.text.characters import count

ZERO = Fraction(0)
NOT_JUDGED = "is not determined, and a number there cannot be judged; null claims just that"


class _ClaimedLoss(NamedTuple):
    """The part of a claim that is about one loss, and the right one."""

    number: int
    name: str
    """∂L/∂A, or ∂L2/∂B."""
    claimed: PartialMatrix
    tolerances: Matrix
    correct: PartialMatrix


def judge_coefficients(matrix: ClaimedMatrix, context: Context) -> Outcome:
    """Return the outcome of a claimed ∂L/∂A or ∂L/∂B; the solution must have it."""
    outcome = Outcome(matrix.key, holds=False, claimed=matrix.summary())
    total = count(len(matrix.entries) * len(matrix.entries[0]), "entry")
    if matrix.non_finite:
        found = len(matrix.non_finite)
        reason = f"{matrix.non_finite[0]}: {found} of {total} {'is' if found == 1 else 'are'} not finite"
        return outcome._replace(reason=reason, failing=found)
    losses = _losses(matrix, context)
    deviations = [one for loss in losses for one in _deviations(matrix, loss)]
    if deviations:
        worst = max(deviations, key=lambda deviation: deviation.excess)
        suspicions = tuple(one for loss in losses for one in _suspicions(context, matrix.key, losses, loss))
        reason = f"{len(deviations)} of {total}"
        return outcome._replace(reason=reason, failing=len(deviations), worst=worst, suspicions=suspicions)
    doubt = next(filter(None, (_doubt(matrix, context, loss) for loss in losses)), "")
    return outcome._replace(reason=doubt, is_undecided=True) if doubt else outcome._replace(holds=True)


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
    places = [(i, j) for i, row in enumerate(loss.claimed) for j, value in enumerate(row) if value is not None]
    for i, j in places:
        if loss.correct[i][j] is None:
            name = matrix.name(first + i, j)
            return f"{name} {NOT_JUDGED}"
    known = [(i, j, correct) for i, j in places if (correct := loss.correct[i][j]) is not None]
    squares = sum((correct * correct for _, _, correct in known), ZERO)
    is_stated = context.claims.atol is not None
    for i, j, correct in known:
        error = abs((loss.claimed[i][j] or ZERO) - correct)
        if not is_stated and 4 * len(known) * error * error > squares > 0:
            return (
                f"it proves nothing: its own rounding allows an error of {show_short(loss.tolerances[i][j])} in "
                f"{matrix.name(first + i, j)}, where the answer is of the size "
                f"{show_short(root_above(squares / len(known)))}; more digits decide"
            )
    return ""


def _suspicions(context: Context, key: str, losses: Sequence[_ClaimedLoss], loss: _ClaimedLoss) -> Iterator[Suspicion]:
    """Yield the mistake that turns the right matrix of one loss into what is claimed, if one does."""
    claimed, correct = complete(loss.claimed), complete(loss.correct)
    if claimed is None or correct is None:
        return
    rows = zip(flat(claimed), flat(loss.tolerances), flat(correct), strict=True)
    if all(abs(c - e) <= t for c, t, e in rows):
        return
    target, said = loss.name, "the claim" if len(losses) == 1 else f"the claimed {loss.name}"
    if not any(map(any, claimed)):
        yield Suspicion("zero", f"{said} is 0 throughout: was the gradient cut off before it came here?")
        return
    candidates = [*_mistakes(context, key, losses, loss, target, correct), *_multiples(context, target, correct)]
    for code, name, doubt, candidate in candidates:
        if len(candidate) != len(claimed) or len(candidate[0]) != len(claimed[0]):
            continue
        for sign, also in ((1, ""), (-1, " And is a sign flipped?")):
            row = tuple([sign * value for value in flat(candidate)])
            if explains(flat(claimed), flat(loss.tolerances), row):
                yield Suspicion(code, f"{said} {name}: {doubt}{also}")
                return


def _mistakes(
    context: Context, key: str, losses: Sequence[_ClaimedLoss], loss: _ClaimedLoss, target: str, correct: Matrix
) -> Iterator[tuple[str, str, str, Matrix]]:
    """Yield the code, the description, a question and the value of what ∂L/∂A or ∂L/∂B is mistaken for."""
    at, system = context.solution.at_value, context.system
    assert at is not None
    assert system.x_value is not None
    yield "sign", f"is the negative of {target}", "is a sign flipped?", _scaled(correct, -1)
    for other in losses:
        if other.number != loss.number and (row := complete(other.correct)) is not None:
            yield "stale", f"equals {other.name}", "is it the gradient of another loss?", row
    exchanged = "are the factors of the outer product exchanged?"
    yield "transpose", f"is the transpose of {target}", exchanged, transpose(correct)
    x, g = system.x_value[0], (system.dL_dy or ())[loss.number]
    y = complete(at.y or ())
    if y is None:
        return
    factor, name = (y[0], "y") if key == "dL_dA" else (x, "x")
    sign, mark = (-1, "-") if key == "dL_dA" else (1, "")
    u = _left_factor(correct, factor, sign)
    if u is None:
        return
    right = x if system.B is None else tuple([dot(row, x) for row in system.B])
    others = {"y": y[0], "x": x} | ({} if system.B is None else {"(B·x)": right})
    for other_name, other_factor in others.items():
        if other_name != name:
            yield (
                "operand",
                f"equals {mark}u·{other_name}ᵀ",
                f"was {other_name} taken for {name}?",
                _outer(u, other_factor, sign),
            )
            swapped = f"equals {mark}{other_name}·uᵀ"
            yield (
                "operand",
                swapped,
                f"was {other_name} taken for {name}, and the product exchanged?",
                _outer(other_factor, u, sign),
            )
    A = system.A
    yield "unsolved", f"equals {mark}∂L/∂y·{name}ᵀ", "was the solution with Aᵀ left out?", _outer(g, factor, sign)
    if len(A) == len(A[0]) == context.solution.rank <= MAX_INVERTED:
        v = tuple([dot(row, g) for row in inverse_of(A)])
        yield "transpose", f"equals {mark}(A⁻¹·∂L/∂y)·{name}ᵀ", FORGOTTEN, _outer(v, factor, sign)
    if system.B is not None:
        (v,) = product((u,), system.B)
        yield (
            "operand",
            f"equals {mark}∂L/∂x·{name}ᵀ",
            "was ∂L/∂x taken for the solution with Aᵀ?",
            _outer(v, factor, sign),
        )


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


def _outer(left: Row, right: Row, sign: int) -> Matrix:
    return tuple([tuple([sign * a * b for b in right]) for a in left])


def _scaled(matrix: Matrix, factor: Fraction | int) -> Matrix:
    return tuple([tuple([factor * value for value in row]) for row in matrix])
