"""A claimed ∂L/∂x: valid exactly if some valid ∂y/∂x yields it, and the claimed one if one is claimed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache, partial

from implicitgrad.checks.affine_constraints import demands, fix_nothing, given_the_others, impossible
from implicitgrad.checks.context import Along, Demand, Setting, complete, dot
from implicitgrad.checks.diagnosis.gradient import Trials, suspect_gradient
from implicitgrad.checks.feasibility import can_hold, of_gradient, of_jacobian
from implicitgrad.checks.jacobian import (
    column_intervals,
    fails,
    fails_to_be_finite,
    is_possible,
    valid_jacobian,
    written,
)
from implicitgrad.checks.proof import beyond_its_type, limit_of_gradient, proves_nothing
from implicitgrad.checks.rational_feasibility import RationalInterval
from implicitgrad.model.claims import Numbers
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Matrix
from implicitgrad.model.verdict import Choice, Deviation, Outcome, Suspicion
from implicitgrad.numbers.exact import Row
from implicitgrad.numbers.row_reduction import integers, reduce_rows
from implicitgrad.text.characters import count, printable

Expected = dict[tuple[int, int], Fraction]
"""What ∂L/∂x must be, by loss and independent input, where anything says so."""


def judge_gradient(
    numbers: Numbers, setting: Setting, jacobian: Along | None, others: tuple[Solution, ...] = ()
) -> Outcome:
    """Judge ``numbers``; ``jacobian`` is the ∂y/∂x that is claimed too, if it is valid.

    others : the solutions of systems with the same A and B, whose gradients may have been taken for this one's.
    """
    outcome, expected = _judged(numbers, setting, jacobian)
    if outcome.holds or outcome.is_undecided or numbers.broken:
        return outcome
    return outcome._replace(suspicions=_suspicions(numbers, setting, expected, jacobian, others))


def _judged(numbers: Numbers, setting: Setting, jacobian: Along | None) -> tuple[Outcome, Expected]:
    """The outcome but for what may explain it, and what ∂L/∂x was to be."""
    tolerances = setting.tolerances(numbers, setting.system.dL_dy)
    claim = setting.along(numbers, tolerances)
    outcome = Outcome(numbers.key, holds=False, claimed=numbers.summary())
    if numbers.broken:
        return fails_to_be_finite(outcome, numbers), {}

    own = _demanded(numbers, tolerances, setting)
    expected = _unique(setting)
    failed = _failed(outcome, numbers, claim, setting, jacobian, own, expected)
    if failed is not None:
        widest = setting.tolerances_of_ill_conditioned(numbers, setting.system.dL_dy)
        if widest is not None and _is_valid(numbers, widest, setting, jacobian):
            failed = beyond_its_type(outcome, numbers, setting)
        return failed, expected
    limit = limit_of_gradient(numbers, setting, tolerances, jacobian)
    if limit is not None:
        if not _is_valid(numbers, limit.most, setting, jacobian):
            return proves_nothing(outcome, numbers, tolerances, limit, setting), expected
        claim, own = setting.along(numbers, limit.most), _demanded(numbers, limit.most, setting)
    is_all_given = jacobian is not None and None not in (complete(jacobian.values), complete(numbers.entries))
    is_loose = bool(setting.free) and not is_all_given
    is_loose = is_loose and fix_nothing(own(), () if jacobian is None else jacobian.demands())
    return outcome._replace(
        holds=True,
        choices=tuple(_choices(claim, setting)) if setting.free and (jacobian is None or is_loose) else (),
        fixes_nothing=gradient_fixes_nothing(setting, is_loose),
        worst=_farthest(numbers, claim, setting, jacobian, expected) if setting.is_rounded(numbers) else None,
    ), expected


def _failed(
    outcome: Outcome,
    numbers: Numbers,
    claim: Along,
    setting: Setting,
    jacobian: Along | None,
    own: Callable[[], Sequence[Demand]],
    expected: Expected,
) -> Outcome | None:
    """The outcome if the claim fails: by an entry that is unique, or by what free parameters cannot make of it.

    expected : what is unique; what must be for the claim's sake is added.
    """
    deviations = [*_nulls(numbers, setting), *_deviations(numbers, claim, setting, expected)]
    reason = ""
    if not deviations:
        if _is_yielded(claim, setting, jacobian, own):
            return None
        reason = "no valid ∂y/∂x yields it" if jacobian is None else "it does not go with the claimed ∂y/∂x"
    is_explained = setting.is_explained(numbers, *([] if jacobian is None else [jacobian.values]))
    given = jacobian.demands() if jacobian is not None and is_explained else ()
    columns = range(len(setting.x) if setting.free else 0)
    wrong = [m for m in columns if not is_explained or not is_possible(_intervals(claim, setting, m, jacobian))]
    if wrong:
        more = _given_the_others(claim, setting) if jacobian is None else _yielded(jacobian, setting)
        more = {place: value for place, value in more.items() if place not in expected}
        if jacobian is not None and is_explained:
            more = _impossible_alone(more, claim, own(), given) or more
        deviations += _deviations(numbers, claim, setting, more, wrong)
        expected |= more
    if not deviations and is_explained:
        deviations = _following(numbers, setting, own(), given)
    if not deviations:
        blocked = impossible(own(), given) if is_explained else own()
        entries = count(sum(demand in own() for demand in blocked), "entry")
        return outcome._replace(reason=f"{reason}: {entries} cannot hold together", failing=len(blocked))
    counted = f"{len(deviations)} of {count(len(numbers.entries) * len(numbers.entries[0]), 'entry')}"
    return fails(outcome, deviations, f"{reason}: {counted}" if reason else counted)


def _demanded(numbers: Numbers, tolerances: Matrix, setting: Setting) -> Callable[[], Sequence[Demand]]:
    """Finds, once, what is asked of what is free, if anything is."""
    if not setting.has_choices:
        return tuple
    general = setting.solution.general
    particular, coefficients = general.dL_dx_particular or (), general.dL_dx_coefficients or ()
    return cache(partial(demands, numbers, tolerances, setting, particular, coefficients))


def _is_valid(numbers: Numbers, tolerances: Matrix, setting: Setting, jacobian: Along | None) -> bool:
    """The verdict on a claim within these tolerances; no for one that is large and on the edge."""
    claim = setting.along(numbers, tolerances)
    if any(_nulls(numbers, setting)) or any(_deviations(numbers, claim, setting, _unique(setting))):
        return False
    own = _demanded(numbers, tolerances, setting) if setting.is_explained(numbers) else None
    return _is_yielded(claim, setting, jacobian, own)


def _is_yielded(
    claim: Along, setting: Setting, jacobian: Along | None, own: Callable[[], Sequence[Demand]] | None
) -> bool:
    """Whether a valid ∂y/∂x yields all of it, near the claimed one if there is one; None: no matter if on the edge."""
    if not setting.has_choices:
        return True
    given = [] if jacobian is None else [of_jacobian(jacobian, setting)]
    holds = can_hold(setting, *given, of_gradient(claim, setting))
    if holds is None:
        return own is not None and not impossible(own(), () if jacobian is None else jacobian.demands())
    return holds


def _impossible_alone(expected: Expected, claim: Along, own: Sequence[Demand], given: Sequence[Demand]) -> Expected:
    """The entries that the tolerance of the claimed ∂y/∂x does not allow, each by itself."""
    at = {(demand.row, demand.column): demand for demand in own}
    demanded = {(k, m): at.get((k, claim.columns[m])) for k, m in expected}
    return {place: expected[place] for place, one in demanded.items() if one is not None and impossible([one], given)}


def _following(numbers: Numbers, setting: Setting, own: Sequence[Demand], given: Sequence[Demand]) -> list[Deviation]:
    """Entries that are not what follows from those before them."""
    found = []
    for demand, shift in given_the_others(own, given):
        if abs(shift) > demand.radius:
            k, j = demand.row, demand.column
            value = numbers.entries[k][j]
            assert value is not None
            x = setting.system.x[j] if len(numbers.entries[0]) == setting.system.inputs else setting.x[j]
            meaning = f"∂{_loss(setting, k)}/∂{printable(x)}, given the others"
            found.append(
                Deviation(numbers.name(k, j), meaning, numbers.texts[k][j], value, value + shift, demand.radius)
            )
    return found


def _unique(setting: Setting) -> Expected:
    """The losses whose ∂L/∂x no free parameter changes."""
    general = setting.solution.general
    rows = zip(general.dL_dx_particular or (), general.dL_dx_coefficients or (), strict=True)
    return {(k, m): row[m] for k, (row, C) in enumerate(rows) if not any(C) for m in range(len(row))}


def _yielded(jacobian: Along, setting: Setting) -> Expected:
    """∂L/∂x as the claimed entries of ∂y/∂x have it, where they are enough to say."""
    general = setting.solution.general
    C, p, V = general.dL_dx_coefficients or (), general.dL_dx_particular or (), general.null_space
    found: Expected = {}
    for m in range(len(setting.x)):
        claimed = [(i, value) for i, row in enumerate(jacobian.values) if (value := row[m]) is not None and any(V[i])]
        is_chosen = {*setting.free} <= {i for i, _ in claimed}
        if is_chosen:  # then V is the identity there
            claimed = [(i, value) for i, value in claimed if i in setting.free]
        for k in range(len(C)):
            combination = C[k] if is_chosen else _combination([V[i] for i, _ in claimed], C[k])
            if combination is not None:
                found[k, m] = p[k][m] + dot(combination, [value - general.particular[i][m] for i, value in claimed])
    return found


def _given_the_others(claim: Along, setting: Setting) -> Expected:
    """What a loss's ∂L/∂x must be, given those of the losses before it that it depends on."""
    general = setting.solution.general
    C, p = general.dL_dx_coefficients or (), general.dL_dx_particular or ()
    found: Expected = {}
    for k in range(len(C)):
        earlier = [i for i in range(k) if any(C[i])]
        combination = _combination([C[i] for i in earlier], C[k])
        if combination is None:
            continue
        for m in range(len(setting.x)):
            given = [claim.values[i][m] for i in earlier]
            shifts = [value - p[i][m] for i, value in zip(earlier, given, strict=True) if value is not None]
            if len(shifts) == len(given):
                found.setdefault((k, m), p[k][m] + dot(combination, shifts))
    return found


def _combination(rows: list[Row], target: Row) -> Row | None:
    """Numbers that combine ``rows`` to ``target``, if there are any."""
    if not rows:
        return None
    equations = [integers(line)[0] for line in zip(*rows, target, strict=True)]
    reduced = reduce_rows(equations, range(len(rows)))
    if any(row[-1] for row in reduced.rows[len(reduced.pivots) :]):
        return None
    found = [Fraction(0)] * len(rows)
    for pivot, row in zip(reduced.pivots, reduced.rows, strict=False):
        found[pivot] = Fraction(row[-1], reduced.d)
    return tuple(found)


def _nulls(numbers: Numbers, setting: Setting) -> Iterator[Deviation]:
    """Entries that are claimed not to be determined, and are."""
    solution = setting.solution
    P, width = setting.system.inputs, len(numbers.entries[0])
    particular, coefficients = solution.general.dL_dx_particular or (), solution.general.dL_dx_coefficients or ()
    for k, row in enumerate(numbers.entries):
        for j, value in enumerate(row):
            if value is not None:
                continue
            input_ = j if width == P else setting.independent[j]
            expected = (solution.dL_dx_rows or ())[k][input_]
            if width != P and not any(coefficients[k]):
                expected = particular[k][j]
            if expected is not None:
                meaning = f"∂{_loss(setting, k)}/∂{setting.system.x[input_]}"
                yield Deviation(numbers.name(k, j), meaning, "null", None, expected, Fraction(0))


def _deviations(
    numbers: Numbers, claim: Along, setting: Setting, expected: Expected, columns: list[int] | None = None
) -> Iterator[Deviation]:
    for (k, m), number in expected.items():
        value, tolerance = claim.values[k][m], claim.tolerances[k][m]
        if value is None or abs(value - number) <= tolerance or (columns is not None and m not in columns):
            continue
        yield _deviation(numbers, claim, setting, k, m, number)


def _deviation(numbers: Numbers, claim: Along, setting: Setting, k: int, m: int, correct: Fraction) -> Deviation:
    value, j = claim.values[k][m], claim.columns[m]
    assert value is not None
    meaning = f"∂{_loss(setting, k)}/∂{setting.x[m]}{setting.along_what}"
    text = written(numbers, setting, value, k, j)
    return Deviation(numbers.name(k, j), meaning, text, value, correct, claim.tolerances[k][m])


def _farthest(
    numbers: Numbers, claim: Along, setting: Setting, jacobian: Along | None, unique: Expected
) -> Deviation | None:
    """Return the entry of a valid claim with the largest difference, among those whose value is determined."""
    yielded = {} if jacobian is None else _yielded(jacobian, setting)
    differences = {
        (k, m): abs(value - correct)
        for (k, m), correct in (yielded | unique).items()
        if (value := claim.values[k][m]) is not None
    }
    if not differences:
        return None
    k, m = max(differences, key=lambda place: differences[place])
    found = _deviation(numbers, claim, setting, k, m, (yielded | unique)[k, m])
    if (k, m) not in unique and jacobian is not None:  # which is itself off by so much, perhaps
        g = (setting.system.dL_dy or ())[k]
        more = dot(tuple(map(abs, g)), [tolerances[m] for tolerances in jacobian.tolerances])
        found = found._replace(tolerance=found.tolerance + more)
    return setting.if_forgiven(numbers, [found])


def _loss(setting: Setting, k: int) -> str:
    return "L" if len(setting.system.dL_dy or ()) == 1 else f"L{k + 1}"


def _intervals(claim: Along, setting: Setting, m: int, jacobian: Along | None) -> list[RationalInterval]:
    """What the claimed losses of a column, and the claimed ∂y/∂x, ask of the free parameters."""
    general = setting.solution.general
    rows = zip(
        general.dL_dx_particular or (), general.dL_dx_coefficients or (), claim.values, claim.tolerances, strict=True
    )
    found = [
        RationalInterval(C, value - tolerances[m] - p[m], value + tolerances[m] - p[m])
        for p, C, values, tolerances in rows
        if (value := values[m]) is not None and any(C)
    ]
    return found + column_intervals(jacobian, setting, m) if found and jacobian is not None else found


def _choices(claim: Along, setting: Setting) -> list[Choice]:
    """What ∂L/∂x says of the free parameters: coefficients·Z = claimed − particular, row reduced."""
    general = setting.solution.general
    particular, coefficients = general.dL_dx_particular or (), general.dL_dx_coefficients or ()
    found = []
    for m, x in enumerate(setting.solution.independent):
        rows = [
            integers((*C, value - p[m]))[0]
            for C, p, values in zip(coefficients, particular, claim.values, strict=True)
            if any(C) and (value := values[m]) is not None
        ]
        reduced = reduce_rows(rows, range(len(setting.free)))
        for pivot, row in sorted(zip(reduced.pivots, reduced.rows, strict=False)):
            numbers = sorted([(pivot, reduced.d), *zip(reduced.columns[:-1], row, strict=False)])
            terms = [(Fraction(number, reduced.d), general.free[f], x) for f, number in numbers if number]
            found.append(Choice(tuple(terms), Fraction(row[-1], reduced.d)))
    return found


def gradient_fixes_nothing(setting: Setting, is_loose: bool) -> str:
    """Why no ∂L/∂x that is claimed here could be wrong. is_loose : any numbers could be met in place of the claimed."""
    if not setting.x:
        return "no input can vary"
    if not is_loose:
        return ""
    return "∂L/∂y is not in the row space of A, and for any ∂L/∂x there is a ∂y/∂x that yields it"


def _suspicions(
    numbers: Numbers, setting: Setting, expected: Expected, jacobian: Along | None, others: tuple[Solution, ...]
) -> tuple[Suspicion, ...]:
    """The mistakes that explain what is wrong."""
    columns = range(len(setting.x))
    claim = setting.along(numbers, setting.tolerances(numbers, setting.system.dL_dy))
    known = (_given_the_others(claim, setting) if jacobian is None else _yielded(jacobian, setting)) | expected
    wanted = tuple([tuple([known.get((k, m)) for m in columns]) for k in range(len(numbers.entries))])

    def holds(undone: Numbers, tolerances: Matrix) -> bool:
        return _is_valid(undone, tolerances, setting, jacobian)

    def holds_with(other: Setting) -> bool:
        return _is_valid(numbers, other.tolerances(numbers, other.system.dL_dy), other, valid_jacobian(other))

    return suspect_gradient(Trials(numbers, claim, wanted, setting, jacobian, others, holds, holds_with))
