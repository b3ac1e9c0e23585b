"""A claimed ∂y/∂x: valid exactly if it solves A·∂y/∂x = B, along the constraint if there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cache, partial

from implicitgrad.checks.affine_constraints import demands, fix_nothing, given_the_others, impossible
from implicitgrad.checks.context import Along, Demand, Setting, complete, dot
from implicitgrad.checks.diagnosis.jacobian import suspect_jacobian
from implicitgrad.checks.feasibility import can_hold, of_jacobian
from implicitgrad.checks.proof import beyond_its_type, farthest, limit_of_jacobian, proves_nothing
from implicitgrad.checks.rational_feasibility import RationalInterval, is_feasible
from implicitgrad.model.claims import Numbers
from implicitgrad.model.system import Matrix
from implicitgrad.model.verdict import DIGITS, Choice, Deviation, Outcome, show
from implicitgrad.numbers.formatting import linear
from implicitgrad.text.characters import count, printable

MAX_TERMS = 6
Difference = tuple[int, int, Fraction]
"""The difference of a claimed number from the unique value: its row, its independent input, its magnitude."""


def judge_jacobian(numbers: Numbers, setting: Setting) -> tuple[Outcome, Along]:
    """The outcome, and the claim along the independent inputs."""
    tolerances = setting.tolerances(numbers)
    claim = setting.along(numbers, tolerances)
    outcome = Outcome(numbers.key, holds=False, claimed=numbers.summary())
    if numbers.broken:
        return fails_to_be_finite(outcome, numbers), claim

    own = _demanded(numbers, tolerances, setting)
    differences = list(_differences(claim, setting))
    failed = _failed(outcome, numbers, claim, setting, differences, own)
    if failed is not None:
        widest = setting.tolerances_of_ill_conditioned(numbers)
        if widest is not None and is_valid(setting, numbers, widest):
            return beyond_its_type(outcome, numbers, setting), claim
        suspicion = suspect_jacobian(numbers, claim, setting, partial(is_valid, setting))
        return failed._replace(suspicions=() if suspicion is None else (suspicion,)), claim
    limit = limit_of_jacobian(numbers, setting, tolerances)
    if limit is not None:
        if not is_valid(setting, numbers, limit.most):
            return proves_nothing(outcome, numbers, tolerances, limit, setting), claim
        claim, own = setting.along(numbers, limit.most), _demanded(numbers, limit.most, setting)
    is_more_than_free = setting.solution.rank > 0 and complete(numbers.entries) is not None
    is_loose = not is_more_than_free and fix_nothing(own())
    choices, fixes_nothing = tuple(_choices(claim, setting)), jacobian_fixes_nothing(setting, is_loose)
    worst = _farthest(numbers, claim, setting, differences) if setting.is_rounded(numbers) else None
    outcome = outcome._replace(holds=True, choices=choices, fixes_nothing=fixes_nothing, worst=worst)
    return outcome, claim._replace(demands=own)


def _failed(
    outcome: Outcome,
    numbers: Numbers,
    claim: Along,
    setting: Setting,
    differences: list[Difference],
    own: Callable[[], Sequence[Demand]],
) -> Outcome | None:
    """The outcome if the claim fails: by an entry, by an equation, or because nothing valid is near enough."""
    wrong = _wrong(claim, differences)
    entries = [*_nulls(numbers, setting), *(_deviation(numbers, claim, setting, i, m) for i, m in wrong)]
    total = count(len(numbers.entries) * len(numbers.entries[0]), "entry")
    if entries:
        return fails(outcome, entries, f"{len(entries)} of {total}")
    if _is_near_a_valid_one(claim, setting, own):
        return None
    equations = _equations(claim, setting)
    if equations:
        of_all = count(setting.system.equations * len(setting.x), "entry")
        return fails(outcome, equations, f"it does not solve A·∂y/∂x = B: {len(equations)} of {of_all}")
    is_explained = setting.is_explained(numbers)
    entries = _following(numbers, setting, own()) if is_explained else []
    if entries:
        return fails(outcome, entries, f"no valid ∂y/∂x has all of it: {len(entries)} of {total}")
    blocked = impossible(own()) if is_explained else own()
    reason = f"no valid ∂y/∂x has all of it within its tolerance: {count(len(blocked), 'entry')} cannot hold together"
    return outcome._replace(reason=reason, failing=len(blocked))


def _is_near_a_valid_one(claim: Along, setting: Setting, own: Callable[[], Sequence[Demand]] | None) -> bool:
    """Whether a valid ∂y/∂x has all that is claimed where more than one is valid; None: no matter if on the edge."""
    if not setting.has_choices:
        return True
    holds = can_hold(setting, of_jacobian(claim, setting))
    return own is not None and not impossible(own()) if holds is None else holds


def _following(numbers: Numbers, setting: Setting, own: Sequence[Demand]) -> list[Deviation]:
    """Entries that are not what follows from those before them."""
    found = []
    for demand, shift in given_the_others(own):
        if abs(shift) > demand.radius:
            i, j = demand.row, demand.column
            value = numbers.entries[i][j]
            assert value is not None
            x = setting.system.x[j] if len(numbers.entries[0]) == setting.system.inputs else setting.x[j]
            meaning = f"∂{setting.y[i]}/∂{printable(x)}, given the others"
            found.append(
                Deviation(numbers.name(i, j), meaning, numbers.texts[i][j], value, value + shift, demand.radius)
            )
    return found


def _demanded(numbers: Numbers, tolerances: Matrix, setting: Setting) -> Callable[[], Sequence[Demand]]:
    """Finds, once, what is asked of what is free, if anything is."""
    if not setting.has_choices:
        return tuple
    general = setting.solution.general
    return cache(partial(demands, numbers, tolerances, setting, general.particular, general.null_space))


def fails(outcome: Outcome, deviations: list[Deviation], counted: str) -> Outcome:
    """The outcome of a claim with these wrong numbers."""
    worst = max(deviations, key=lambda deviation: deviation.excess)
    return outcome._replace(reason=counted, failing=len(deviations), worst=worst)


def fails_to_be_finite(outcome: Outcome, numbers: Numbers) -> Outcome:
    """The outcome of a claim with entries that are no numbers."""
    total = count(len(numbers.entries) * len(numbers.entries[0]), "entry")
    found = len(numbers.broken)
    reason = f"{numbers.broken[0]}: {found} of {total} {'is' if found == 1 else 'are'} not finite"
    return outcome._replace(reason=reason, failing=found)


def column_intervals(claim: Along, setting: Setting, m: int) -> list[RationalInterval]:
    """What the claimed entries of a column ask of the free parameters: J₀ + V·z within the claim's tolerance."""
    general = setting.solution.general
    rows = zip(general.particular, general.null_space, claim.values, claim.tolerances, strict=True)
    return [
        RationalInterval(V, value - tolerances[m] - J[m], value + tolerances[m] - J[m])
        for J, V, values, tolerances in rows
        if (value := values[m]) is not None and any(V)
    ]


def is_possible(intervals: list[RationalInterval]) -> bool:
    """Whether some values of the free parameters satisfy all."""
    return not intervals or is_feasible(intervals)


def _nulls(numbers: Numbers, setting: Setting) -> Iterator[Deviation]:
    """Entries that are claimed not to be determined, and are."""
    solution = setting.solution
    P, width = setting.system.inputs, len(numbers.entries[0])
    for i, row in enumerate(numbers.entries):
        for j, value in enumerate(row):
            if value is not None:
                continue
            k = j if width == P else setting.independent[j]
            expected = solution.dy_dx[i][k]
            if width != P and not any(solution.general.null_space[i]):
                expected = solution.general.particular[i][j]
            if expected is not None:
                x = setting.system.x[k]
                meaning = f"∂{setting.y[i]}/∂{x}"
                yield Deviation(numbers.name(i, j), meaning, "null", None, expected, Fraction(0))


def _differences(claim: Along, setting: Setting) -> Iterator[Difference]:
    """Return the rows that no free parameter changes."""
    general = setting.solution.general
    for i, (J, V) in enumerate(zip(general.particular, general.null_space, strict=True)):
        if not any(V):
            yield from ((i, m, abs(value - J[m])) for m, value in enumerate(claim.values[i]) if value is not None)


def _wrong(claim: Along, differences: Iterable[Difference]) -> Iterator[tuple[int, int]]:
    """Return the entries whose difference exceeds their tolerance."""
    return ((i, m) for i, m, difference in differences if difference > claim.tolerances[i][m])


def _deviation(numbers: Numbers, claim: Along, setting: Setting, i: int, m: int) -> Deviation:
    value, j = claim.values[i][m], claim.columns[m]
    assert value is not None
    meaning = f"∂{setting.y[i]}/∂{setting.x[m]}{setting.along_what}"
    text, correct = written(numbers, setting, value, i, j), setting.solution.general.particular[i][m]
    return Deviation(numbers.name(i, j), meaning, text, value, correct, claim.tolerances[i][m])


def _farthest(numbers: Numbers, claim: Along, setting: Setting, differences: list[Difference]) -> Deviation | None:
    """Return the entry of a valid claim with the largest difference: a unique entry, or one of A·J."""
    found = []
    if differences:
        i, m, _ = max(differences, key=lambda difference: difference[2])
        found.append(_deviation(numbers, claim, setting, i, m))
    J = complete(claim.values) if setting.free else None
    place = None if J is None else farthest(J, setting)
    if J is not None and place is not None:
        found.append(_equation(J, claim, setting, *place))
    return setting.if_forgiven(numbers, found)


def written(numbers: Numbers, setting: Setting, value: Fraction, i: int, j: int) -> str:
    """A claimed number as it was written, or, if it was put together along the constraint, how: 3 + 2·1 = 5."""
    texts = numbers.texts[i]
    if len(texts) != setting.system.inputs or setting.solution.constraints is None:
        return texts[j]
    column = [row[setting.independent.index(j)] for row in setting.T()]
    shown = [f"({text})" if text.startswith("-") else text for text in texts]
    terms = [(factor, text) for factor, text in zip(column, shown, strict=True) if factor]
    if len(terms) == 1:
        return texts[j]
    if len(terms) > MAX_TERMS:
        return show(value)
    return f"{linear(Fraction(0), terms, DIGITS)} = {show(value)}"


def _equations(claim: Along, setting: Setting) -> list[Deviation]:
    """Entries of A·J that are not those of B·T, as far as J is claimed whole."""
    J = complete(claim.values)
    if J is None:
        return []
    places = [(i, m) for i in range(setting.system.equations) for m in range(len(setting.x))]
    found = [_equation(J, claim, setting, *place) for place in places]
    return [one for one in found if one.excess > 0]


def _equation(J: Matrix, claim: Along, setting: Setting, i: int, m: int) -> Deviation:
    """Compare an entry of A·J with that of B·T."""
    row, x = setting.system.A[i], setting.x[m]
    value = dot(row, [entries[m] for entries in J])
    tolerance = dot(tuple(map(abs, row)), [tolerances[m] for tolerances in claim.tolerances])
    terms = [(a, f"∂{y}/∂{x}") for a, y in zip(row, setting.y, strict=True) if a]
    meaning = str(linear(Fraction(0), terms[:MAX_TERMS], DIGITS)) + (" + …" if terms[MAX_TERMS:] else "")
    return Deviation(f"A·dy_dx[{i + 1}][{m + 1}]", meaning, show(value), value, setting.BT()[i][m], tolerance)


def _choices(claim: Along, setting: Setting) -> list[Choice]:
    """The claim's own values of the free parameters."""
    found = []
    for f, y in zip(setting.free, setting.solution.general.free, strict=True):
        for m, x in enumerate(setting.solution.independent):
            value = claim.values[f][m]
            if value is not None:
                found.append(Choice(((Fraction(1), y, x),), value))
    return found


def jacobian_fixes_nothing(setting: Setting, is_loose: bool) -> str:
    """Why no ∂y/∂x that is claimed here could be wrong. is_loose : any numbers could be met in place of the claimed."""
    if not setting.x:
        return "no input can vary"
    if not is_loose:
        return ""
    if setting.solution.rank == 0:
        return "A is 0, and any ∂y/∂x solves A·∂y/∂x = B"
    if not setting.free:
        return "x is constrained, and entries that follow one another are left open"
    return "these entries may be anything, for others follow them"


def is_valid(setting: Setting, numbers: Numbers, tolerances: Matrix) -> bool:
    """The verdict on a claim within these tolerances; no for one that is large and on the edge."""
    claim = setting.along(numbers, tolerances)
    if any(_nulls(numbers, setting)) or any(True for _ in _wrong(claim, _differences(claim, setting))):
        return False
    own = _demanded(numbers, tolerances, setting) if setting.is_explained(numbers) else None
    return _is_near_a_valid_one(claim, setting, own)


def valid_jacobian(setting: Setting) -> Along | None:
    """The claimed ∂y/∂x along the independent inputs, if it is valid and says something."""
    numbers = setting.claims.dy_dx
    if numbers is None or numbers.broken:
        return None
    tolerances = setting.tolerances(numbers)
    claim = setting.along(numbers, tolerances)._replace(demands=_demanded(numbers, tolerances, setting))
    says_something = any(value is not None for row in claim.values for value in row)
    return claim if says_something and is_valid(setting, numbers, tolerances) else None
