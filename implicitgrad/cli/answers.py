"""Answer the systems of solve: a text or a file's bytes for each, in this process or in one that can be killed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from functools import partial
from itertools import groupby
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.model.program_spec import ProgramSpec
from implicitgrad.model.spec import UNIQUE_GRADIENT, NeedsAlgebra, SourceValue, SystemSpec
from implicitgrad.model.system import Arithmetic, LinearSystem
from implicitgrad.readers.build import build_question
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.text.errors import LIMITS, InputError, Problem, UsageError
from implicitgrad.writers.formats import FORMATS, WriteOptions, either

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from implicitgrad.batch.isolation import Job, JobResult
    from implicitgrad.model.program import QuadraticProgram
    from implicitgrad.model.program_solution import ProgramSolution
    from implicitgrad.model.solution import Solution
    from implicitgrad.readers.build import Question


class SolveOptions(NamedTuple):
    """The options that apply to every system."""

    arithmetic: str
    free: tuple[str, ...]
    rtol: float | None
    only: str | None
    order: int
    steps: bool
    require: tuple[str, ...]
    form: str
    digits: int
    is_full: bool
    file: str | None
    """The output file; None for standard output."""
    wrt: tuple[str, ...]
    """The parameters of a program that a page shows."""
    pieces: bool = False
    """Whether all Jacobians around a kink of a program are asked for."""
    direction: Mapping[str, Fraction] | None = None
    """A direction in which a program's derivative is asked for."""


class Answer(NamedTuple):
    """The answer to one system, ready to be written."""

    written: str | memoryview | bytes
    note: str | None
    """A message on what a NumPy file cannot hold."""
    unmet: tuple[Problem, ...]
    """The requirements that the answer does not meet."""


class PendingSystem(NamedTuple):
    """A system that is read and not yet answered."""

    system: Question | SystemSpec
    """A SystemSpec if it needs algebra."""
    parts: dict[str, SourceValue]
    """The values as written, for an answer in YAML."""

    @property
    def is_of_numbers(self) -> bool:
        """Whether the system has numbers alone, and so is built."""
        return not isinstance(self.system, SystemSpec)


def build_systems(specs: Iterable[SystemSpec], options: SolveOptions) -> list[PendingSystem]:
    """Build the systems that need no algebra. Raise InputError with the problems of all."""
    systems: list[PendingSystem] = []
    problems: list[Problem] = []
    needs_values = FORMATS[options.form].needs_values
    for spec in specs:
        spec.order = options.order
        try:
            system = build_question(spec, options.arithmetic, allow_algebra=False)
            if options.arithmetic == Arithmetic.EXACT and isinstance(system, LinearSystem):
                from implicitgrad.model.exact_cost import refuse_long_work

                refuse_long_work(system)
            systems.append(PendingSystem(system, spec.values if needs_values else {}))
        except NeedsAlgebra:
            systems.append(PendingSystem(spec, {}))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return systems


def answers_to(systems: Sequence[PendingSystem], options: SolveOptions) -> tuple[list[Answer], list[Problem]]:
    """Return the answers, and the problems of systems without one. Raise ImplicitGradError."""
    _refuse_several(systems, options)
    _require_gradients([one.system for one in systems if not isinstance(one.system, SystemSpec)], options)
    return _split(_results(systems, options))


def answers_in_time(
    seconds: float, specs: Callable[[], Sequence[SystemSpec]], source: str, options: SolveOptions
) -> tuple[list[Answer], list[Problem]]:
    """Do the same in a process that is killed if one system takes longer than ``seconds``, reading included."""
    from implicitgrad.batch.isolation import run_isolated

    def make_jobs() -> list[Job]:
        started = monotonic()
        read = specs()
        left = seconds - (monotonic() - started)
        return _jobs(read, options, left if len(read) == 1 else seconds)

    answers, problems = _split(run_isolated(make_jobs, seconds), source)
    _refuse_several([*answers, *problems], options)
    return answers, problems


def _results(systems: Sequence[PendingSystem], options: SolveOptions) -> Generator[Answer | JobResult]:
    for is_of_numbers, group in groupby(systems, lambda one: one.is_of_numbers):
        if is_of_numbers:
            for system, parts in group:
                assert not isinstance(system, SystemSpec)
                yield _answer(system, parts, options)
        else:
            from implicitgrad.batch.isolation import run_isolated

            specs = [one.system for one in group if isinstance(one.system, SystemSpec)]
            yield from run_isolated(partial(_jobs, specs, options))


def _split(results: Generator[Answer | JobResult], source: str | None = None) -> tuple[list[Answer], list[Problem]]:
    """Separate answers from the problems of systems without one. Raise any other error.

    source : the source of systems that could not be read in time.
    """
    answers: list[Answer] = []
    problems: list[Problem] = []
    wrong: list[Problem] = []
    with closing(results):  # an error that is raised ends the isolated process at once
        for result in results:
            if isinstance(result, Answer):
                answers.append(result)
            elif result.error is None:
                answers.append(result.value)
            elif isinstance(result.error, InputError):
                found = [
                    problem._replace(source=problem.source or result.label or source)
                    for problem in result.error.problems
                ]
                (problems if found[0].code in LIMITS else wrong).extend(found)
            else:
                raise result.error
    if wrong:
        raise InputError([*wrong, *problems])
    return answers, problems


def _jobs(specs: Sequence[SystemSpec], options: SolveOptions, seconds: float | None = None) -> list[Job]:
    from implicitgrad.batch.isolation import Job

    return [Job(spec.source, partial(_answer_spec, spec, options), seconds) for spec in specs]


def _answer_spec(spec: SystemSpec, options: SolveOptions) -> Answer:
    from implicitgrad.batch.isolation import build

    spec.order = options.order
    system = build_question(spec) if isinstance(spec, ProgramSpec) else build(spec, options.arithmetic)
    _require_gradients([system], options)
    answer = _answer(system, spec.values, options)
    return answer if isinstance(answer.written, str) else answer._replace(written=bytes(answer.written))


def _solve(system: Question, options: SolveOptions) -> Solution | ProgramSolution:
    if system.kind == "program":
        from implicitgrad.solvers.program.either_arithmetic import solve_in_any_arithmetic

        _refuse_linear_options(system, options)
        solution = solve_in_any_arithmetic(system)
        if options.steps:
            from implicitgrad.writers.program_steps import refuse_unfit

            refuse_unfit(solution)
        return _with_pieces(solution._replace(is_gradient_alone=options.only is not None), options)
    for option, is_given in {"--pieces": options.pieces, "--direction": options.direction is not None}.items():
        if is_given:
            raise UsageError(f"{system.source}: {option} is for quadratic programs")
    return solve_system(
        system,
        options.free,
        rtol=options.rtol,
        gradient_alone=options.only is not None,
        order=options.order,
        steps=options.steps,
    )


def _with_pieces(solution: ProgramSolution, options: SolveOptions) -> ProgramSolution:
    """Add the pieces and the directional derivative that are asked for. Raise ImplicitGradError."""
    if options.pieces and solution.is_unique:
        from implicitgrad.solvers.program.pieces import MAX_PIECES, find_pieces

        pieces = find_pieces(solution)
        if pieces is None:
            remark = ("too-many-pieces", f"there are more than {MAX_PIECES} pieces, and none of them is listed")
            solution = solution._replace(remarks=(*solution.remarks, remark))
        else:
            solution = solution._replace(pieces=tuple(pieces))
    if options.direction is not None:
        from implicitgrad.solvers.program.derivatives import directional_derivative

        found = directional_derivative(solution, options.direction)
        solution = solution._replace(directional=(options.direction, found))
    return solution


def _refuse_linear_options(program: QuadraticProgram, options: SolveOptions) -> None:
    """Raise UsageError for options that concern linear systems alone."""
    given = {"--free": options.free, "--rtol": options.rtol is not None, "--order": options.order > 1}
    for option, is_given in given.items():
        if is_given:
            raise UsageError(f"{program.source}: {option} is for linear systems and equations, not for a program")


def _answer(system: Question, parts: dict[str, SourceValue], options: SolveOptions) -> Answer:
    solution = _solve(system, options)
    problems: list[Problem] = []
    if options.require:
        from implicitgrad.model.requirement import facts_of, unmet

        problems = [problem for one in options.require if (problem := unmet(facts_of(solution), one))]
    form, is_on_screen = FORMATS[options.form], options.file is None
    written = form.write(
        solution,
        WriteOptions(
            options.digits,
            options.is_full or not is_on_screen,
            is_on_screen,
            parts,
            wrt=options.wrt,
            has_steps=options.steps,
        ),
    )
    limitation = form.limitation(solution)
    note = None if limitation is None else f"implicitgrad: {options.file}: {limitation}"
    return Answer(written, note, tuple(problems))


def _refuse_several(systems: Sequence[object], options: SolveOptions) -> None:
    if len(systems) == 1 or FORMATS[options.form].separator is not None:
        return
    option = f"--format {options.form}" if FORMATS[options.form].is_text else f"--output {options.file}"
    others = either(one.name for one in FORMATS.values() if one.separator is not None)
    message = f"{option} holds one system's answer, and there are {len(systems)}"
    raise UsageError(message, f"--format {others} holds several")


def _require_gradients(systems: Sequence[Question], options: SolveOptions) -> None:
    needed = {
        f"--require {UNIQUE_GRADIENT}": UNIQUE_GRADIENT in options.require,
        f"--only {options.only}": options.only is not None,
    }
    for option, is_asked in needed.items():
        lacking = [system for system in systems if not _has_loss(system)] if is_asked else []
        if lacking:
            raise InputError(map(partial(_lacks_gradient, option), lacking))


def _lacks_gradient(option: str, system: Question) -> Problem:
    key = "dL_dz" if system.kind == "program" else "dL_dy"
    return Problem(f"{option} needs {key}, and there is none", "Give it in the file or with -g", source=system.source)


def _has_loss(system: Question) -> bool:
    return bool(system.losses) if system.kind == "program" else system.dL_dy is not None
