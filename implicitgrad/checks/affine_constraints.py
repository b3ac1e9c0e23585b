"""What claimed numbers ask of what is free: intervals in which linear forms of it must lie, and whether they can.

An entry along independent input m is p_m + C·Z_m, with Z_m the free parameters of that input. Where x is constrained
and a row has a number for every input, the entry of a dependent input is an unknown w_d of its own, of that row alone,
and that of an independent one is p_m + C·Z_m − Σ_d T_dm·w_d.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from implicitgrad.checks.context import Demand, Form, Setting, Unknown
from implicitgrad.checks.rational_feasibility import RationalInterval, is_feasible
from implicitgrad.model.claims import Numbers
from implicitgrad.model.system import Matrix
from implicitgrad.numbers.exact import Row
from implicitgrad.numbers.row_reduction import integers, reduce_rows


def demands(
    numbers: Numbers, tolerances: Matrix, setting: Setting, particular: Matrix, coefficients: Matrix
) -> list[Demand]:
    """Those of all numbers of a claim, whose rows are particular + coefficients·Z along the independent inputs."""
    found = []
    for i, k, m, form in forms(numbers, setting, coefficients):
        value = numbers.entries[i][k]
        assert value is not None
        centre = value if m is None else value - particular[i][m]
        found.append(Demand(i, k, form, centre, tolerances[i][k]))
    return found


def forms(numbers: Numbers, setting: Setting, coefficients: Matrix) -> Iterator[tuple[int, int, int | None, Form]]:
    """Of each number of a claim its row and column, the place of its input among the independent ones, and its form."""
    kind = 1 if numbers.key == "dy_dx" else 2
    is_wide = setting.solution.constraints is not None and len(numbers.entries[0]) == setting.system.inputs
    T = setting.T() if is_wide else ()
    dependent = setting.dependent if is_wide else []
    place = {k: m for m, k in enumerate(setting.independent)}
    for i, C in enumerate(coefficients):
        for k, value in enumerate(numbers.entries[i]):
            if value is None:
                continue
            m = place.get(k) if is_wide or setting.solution.constraints is None else k
            form: Form = {}
            if m is None:
                form[kind, i, k] = Fraction(1)
            else:
                form = {(0, f, m): c for f, c in enumerate(C) if c}
                form |= {(kind, i, d): -T[d][m] for d in dependent if T[d][m]}
            yield i, k, m, form


def impossible(*claims: Sequence[Demand]) -> list[Demand]:
    """The first demands found, of one connected group, that cannot be met at once; none if all can be."""
    for group in _groups(_tied([demand for claim in claims for demand in claim])):
        unknowns = list(dict.fromkeys(unknown for demand in group for unknown in demand.form))
        intervals = [
            RationalInterval(
                tuple([demand.form.get(unknown, Fraction(0)) for unknown in unknowns]),
                demand.centre - demand.radius,
                demand.centre + demand.radius,
            )
            for demand in group
        ]
        is_met = is_feasible(intervals) if unknowns else all(i.lowest <= 0 <= i.highest for i in intervals)
        if not is_met:
            return group
    return []


def fix_nothing(claim: Sequence[Demand], given: Sequence[Demand] = ()) -> bool:
    """Whether numbers other than these, any at all, could be met too, beside what is ``given``."""
    if any(len(group) > len({unknown for demand in group for unknown in demand.form}) for group in _groups(claim)):
        return False
    return bool(claim) and _rank([*claim, *given]) == len(claim) + _rank(given)


def given_the_others(claim: Sequence[Demand], others: Sequence[Demand] = ()) -> Iterator[tuple[Demand, Fraction]]:
    """Each demand that follows from those before it, and how much larger its number would have to be for that."""
    before = list(others)
    for demand in claim:
        weights = _combination(before, demand)
        if weights is not None:
            yield (
                demand,
                sum((w * one.centre for w, one in zip(weights, before, strict=True)), Fraction(0)) - demand.centre,
            )
        before.append(demand)


def _groups(some: Sequence[Demand]) -> Iterator[list[Demand]]:
    """Demands that share unknowns, directly or through others."""
    parents: dict[Unknown, Unknown] = {}

    def root(unknown: Unknown) -> Unknown:
        while parents.setdefault(unknown, unknown) != unknown:
            parents[unknown] = unknown = parents[parents[unknown]]
        return unknown

    for demand in some:
        first, *rest = [root(unknown) for unknown in demand.form] or [(0, 0, 0)]
        for other in rest:
            parents[root(other)] = root(first)
    groups: dict[object, list[Demand]] = {}
    for demand in some:
        key: object = root(next(iter(demand.form))) if demand.form else id(demand)
        groups.setdefault(key, []).append(demand)
    yield from groups.values()


def _tied(some: Sequence[Demand]) -> list[Demand]:
    """Without those that can always be met: by an unknown that is in no other form."""
    left = dict(enumerate(some))
    where: dict[Unknown, set[int]] = {}
    for i, demand in left.items():
        for unknown in demand.form:
            where.setdefault(unknown, set()).add(i)
    alone = [unknown for unknown, places in where.items() if len(places) == 1]
    while alone:
        for i in list(where[alone.pop()]):
            for unknown in left.pop(i).form:
                where[unknown].remove(i)
                if len(where[unknown]) == 1:
                    alone.append(unknown)
    return list(left.values())


def _lines(some: Sequence[Demand]) -> list[Row]:
    unknowns = list(dict.fromkeys(unknown for demand in some for unknown in demand.form))
    return [tuple([demand.form.get(unknown, Fraction(0)) for unknown in unknowns]) for demand in some]


def _rank(some: Sequence[Demand]) -> int:
    tied = _tied(some)
    total = len(some) - len(tied)
    for group in _groups(tied):
        lines = _lines(group)
        total += len(reduce_rows([integers(line)[0] for line in lines], range(len(lines[0]))).pivots) if lines[0] else 0
    return total


def _combination(some: Sequence[Demand], target: Demand) -> Row | None:
    """Numbers that combine the forms of ``some`` to that of ``target``, if there are any."""
    *lines, last = _lines([*some, target])
    if not lines:
        return None if any(last) else ()
    equations = [integers(line)[0] for line in zip(*lines, last, strict=True)]
    if not equations:
        return tuple([Fraction(0)] * len(lines))
    reduced = reduce_rows(equations, range(len(lines)))
    if any(row[-1] for row in reduced.rows[len(reduced.pivots) :]):
        return None
    found = [Fraction(0)] * len(lines)
    for pivot, row in zip(reduced.pivots, reduced.rows, strict=False):
        found[pivot] = Fraction(row[-1], reduced.d)
    return tuple(found)
