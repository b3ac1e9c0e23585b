"""Judge the claims about systems, each within a time limit or the budget of algebra."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from implicitgrad.batch.isolation.process import Job, build, run_isolated
from implicitgrad.checks.expected import arithmetic_of, solve_question, verdict_of
from implicitgrad.model.conversion import MATRICES
from implicitgrad.model.solution import Solution
from implicitgrad.model.spec import NeedsAlgebra, SourceValue, SystemSpec
from implicitgrad.model.verdict import Unreadable, Verdict
from implicitgrad.readers.systems.several import build_all
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.internal_errors import LIMITS

if TYPE_CHECKING:
    from implicitgrad.checks.expected import Answer

Parts = Mapping[str, SourceValue]


def check_within(
    seconds: float | None,
    specs: Callable[[], Sequence[SystemSpec]],
    claims: Parts,
    more: Sequence[Parts],
    source: str,
) -> list[Verdict | Unreadable]:
    """Do as check_specs, but return Unreadable for a system without an answer in time, and Verdicts without numbers.

    seconds : for each system; None is the budget of algebra alone. specs : reads them. source : what they are
    read from.
    """
    solutions: dict[int, Answer] = {}
    """Those of numbers, which are solved first: a mistake may be that one's gradient is another's."""
    results: dict[int, Verdict | Unreadable] = {}
    problems: list[Problem] = []

    def solve(k: int, spec: SystemSpec) -> Answer | None:
        try:
            (question,) = build_all([spec], arithmetic_of, allow_algebra=False)
        except NeedsAlgebra:
            return None
        solutions[k] = solve_question(question)
        return solutions[k]

    def check(k: int, spec: SystemSpec) -> Verdict | None:
        if k in results:
            return None
        solution = solutions[k] if k in solutions else solve_question(build(spec, arithmetic_of))
        return _without_numbers(verdict_of(spec, solution, claims, more, list(solutions.values())))

    def make_jobs() -> list[Job]:
        read = list(enumerate(specs()))
        return [Job((k, spec.source), partial(run, k, spec)) for run in (solve, check) for k, spec in read]

    with closing(run_isolated(make_jobs, seconds)) as isolated:  # ends the process at once if an error is raised
        for result in isolated:
            k, system = result.label or (0, source)
            if isinstance(result.error, InputError):
                found = [problem._replace(source=problem.source or system) for problem in result.error.problems]
                if found[0].code not in LIMITS:
                    problems += [problem for problem in found if problem not in problems]
                results.setdefault(k, Unreadable(system, tuple(found)))
            elif result.error is not None:
                raise result.error
            elif isinstance(result.value, Verdict):
                results[k] = result.value
            elif result.value is not None:
                solutions[k] = result.value
    if problems:
        raise InputError(problems)
    return [results[k] for k in sorted(results)]


def _without_numbers(verdict: Verdict) -> Verdict:
    """Return a verdict with what reports read of it."""
    solution = verdict.solution
    if solution.kind == "program":
        from implicitgrad.model.program.solution import ProgramSolution

        return Verdict(ProgramSolution(solution.program, (), solution.status), verdict.outcomes)
    system: dict[str, Any] = dict.fromkeys([*MATRICES, "origin"]) | {"A": ()}
    fields: dict[str, Any] = dict.fromkeys(set(Solution._fields) - {"system", "status"})
    return Verdict(solution._replace(**fields, system=solution.system._replace(**system)), verdict.outcomes)
