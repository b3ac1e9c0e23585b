"""Check systems against the claims written with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from implicitgrad.checks.judge import judge, solve_to_judge
from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.model.system import Arithmetic
from implicitgrad.model.verdict import Outcome, Verdict
from implicitgrad.readers.claims.reader import build_claims
from implicitgrad.readers.systems.general import needs_doubles
from implicitgrad.readers.systems.several import build_all
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import InputError, Problem, UsageError

if TYPE_CHECKING:
    from implicitgrad.model.program.solution import ProgramSolution
    from implicitgrad.model.solution import Solution
    from implicitgrad.readers.systems.build import Question

    Answer = Solution | ProgramSolution

Parts = Mapping[str, SourceValue]


def check_specs(
    specs: Sequence[SystemSpec],
    claims: Parts | None = None,
    more: Sequence[Parts] = (),
    *,
    numbers_alone: bool = False,
) -> list[Verdict]:
    """Return the verdict on each system of a file. Raises InputError with the problems of all.

    claims : claims about every system, which replace those in the file. more : further claims.
    numbers_alone : raise NeedsAlgebra instead of using algebra.
    """
    questions = build_all(specs, arithmetic_of, allow_algebra=not numbers_alone)
    for spec, question in zip(specs, questions, strict=True):
        if spec.shown and not (question.kind == "linear" and question.is_sparse):
            raise UsageError(f"{printable(spec.source)}: --show is for claims about a large sparse system")
    solutions = [solve_question(question) for question in questions]
    problems: list[Problem] = []
    verdicts = []
    for spec, solution in zip(specs, solutions, strict=True):
        try:
            others = solutions if spec.place is None else ()
            verdicts.append(verdict_of(spec, solution, claims or {}, more, others))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return verdicts


def solve_question(question: Question) -> Answer:
    """Solve a system or a program as its claims are judged. Raises InputError."""
    if question.kind == "linear":
        return solve_to_judge(question)
    from implicitgrad.solvers.program.solver import solve_program

    return solve_program(question)


def verdict_of(
    spec: SystemSpec, solution: Answer, claims: Parts, more: Sequence[Parts], others: Sequence[Answer]
) -> Verdict:
    """Judge one system's claims against its solution. Raises InputError. others : solutions of the same file."""
    problems: list[Problem] = []
    outcomes: list[Outcome] = []
    for parts in (together(spec, claims), *more):
        try:
            outcomes += _judge(parts, solution, others).outcomes
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return Verdict(solution, tuple(outcomes))


def _judge(parts: Parts, solution: Answer, others: Sequence[Answer]) -> Verdict:
    if solution.kind == "linear":
        linear = [other for other in others if other.kind == "linear"]
        return judge(solution, build_claims(parts, solution), linear)
    from implicitgrad.checks.program.judge import judge_program
    from implicitgrad.readers.program.claims import build_program_claims

    return judge_program(solution, build_program_claims(parts, solution))


def together(spec: SystemSpec, claims: Parts) -> dict[str, SourceValue]:
    """Return a file's claims with ``claims`` in place of its own; new tolerances replace all of the file's."""
    roots = {key.partition(".")[0] for key in claims}
    if any(getattr(part.value, "ndim", 0) > 1 for part in claims.values()):
        from implicitgrad.readers.arrays.stacks import at_place

        claims = {key: at_place(key, part, spec.place, spec.source) for key, part in claims.items()}
    return {key: part for key, part in spec.expect().items() if key.partition(".")[0] not in roots} | dict(claims)


def arithmetic_of(spec: SystemSpec) -> str:
    """Return the arithmetic in which a system is built to be judged."""
    return Arithmetic.FLOAT if needs_doubles(spec) else Arithmetic.EXACT
