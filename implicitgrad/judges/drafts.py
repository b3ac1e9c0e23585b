"""Systems as written, with what is expected of them → Verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from implicitgrad.claims import Claims
from implicitgrad.claims.build import build_claims
from implicitgrad.draft import Draft
from implicitgrad.errors import InputError, Problem
from implicitgrad.judges import judge, solve_to_judge
from implicitgrad.part import Part
from implicitgrad.readers import build_all
from implicitgrad.solution import Solution
from implicitgrad.system import Arithmetic
from implicitgrad.verdict import Verdict

Parts = Mapping[str, Part]


def check_drafts(drafts: Sequence[Draft], claims: Parts | None = None, more: Sequence[Parts] = ()) -> list[Verdict]:
    """The verdict of each system of a file. Raises InputError with the problems of all.

    claims : what is claimed of every one, in place of what the file expects. more : claims beside those.
    """
    solutions = [solve_to_judge(system) for system in build_all(drafts, _arithmetic)]
    expected = [together(draft, claims or {}) for draft in drafts]
    problems: list[Problem] = []
    verdicts = []
    for solution, parts in zip(solutions, expected, strict=True):
        built = [_built(one, solution, problems) for one in (parts, *more)]
        outcomes = [outcome for one in built for outcome in judge(solution, one, solutions).outcomes]
        verdicts.append(Verdict(solution, tuple(outcomes)))
    if problems:
        raise InputError(problems)
    return verdicts


def together(draft: Draft, claims: Parts) -> dict[str, Part]:
    """What a file expects, with ``claims`` in place of its own; tolerances together, for one replaces the other."""
    expected = draft.expect()
    kept = {key: part for key, part in expected.items() if key.partition(".")[0] not in _roots(claims)}
    return kept | dict(claims)


def _roots(claims: Parts) -> set[str]:
    return {key.partition(".")[0] for key in claims}


def _arithmetic(draft: Draft) -> str:
    return Arithmetic.FLOAT if draft.is_binary or draft.is_near_a_point else Arithmetic.EXACT


def _built(parts: Parts, solution: Solution, problems: list[Problem]) -> Claims:
    try:
        return build_claims(parts, solution)
    except InputError as error:
        problems.extend(error.problems)
        return Claims()
