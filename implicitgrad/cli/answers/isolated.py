"""Answer the systems of solve in a process that can be killed: if one needs algebra, or if there is a time limit."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import partial
from time import monotonic

from implicitgrad.batch.isolation.process import Job, JobResult, build, run_isolated
from implicitgrad.cli.answers.answer import Answer, SolveOptions, answer
from implicitgrad.cli.answers.refusals import refuse_several, require_gradients
from implicitgrad.cli.options.shared import INLINE
from implicitgrad.cli.options.sources import read_once
from implicitgrad.model.spec import SystemSpec
from implicitgrad.readers.systems.build import build_question
from implicitgrad.terminal.streams import spinner
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.internal_errors import LIMITS


def answers_to(specs: Sequence[SystemSpec], options: SolveOptions) -> tuple[list[Answer], list[Problem]]:
    """Return the answers, and the problems of systems without one. Raise ImplicitGradError."""
    return _split(run_isolated(partial(_jobs, specs, options)))


def answers_in_time(
    seconds: float, read: Callable[[str | None], Sequence[SystemSpec]], source: str | None, options: SolveOptions
) -> tuple[list[Answer], list[Problem]]:
    """Do the same in a process that is killed if one system takes longer than ``seconds``, reading included.

    read : reads the systems of ``source``, given the text of one that can be read only once.
    """
    with spinner(f"reading {source or INLINE}"):
        text = read_once(source)

    def make_jobs() -> list[Job]:
        started = monotonic()
        specs = read(text)
        left = seconds - (monotonic() - started)
        return _jobs(specs, options, left if len(specs) == 1 else seconds)

    with spinner(f"solving {source or INLINE}"):
        answers, problems = _split(run_isolated(make_jobs, seconds), source or INLINE)
    refuse_several([*answers, *problems], options.form, options.file)
    return answers, problems


def _split(results: Generator[JobResult], source: str | None = None) -> tuple[list[Answer], list[Problem]]:
    """Separate answers from the problems of systems without one. Raise any other error.

    source : the source of systems that could not be read in time.
    """
    answers: list[Answer] = []
    problems: list[Problem] = []
    wrong: list[Problem] = []
    with closing(results):  # an error that is raised ends the isolated process at once
        for result in results:
            if result.error is None:
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
    return [Job(spec.source, partial(_answer_spec, spec, options), seconds) for spec in specs]


def _answer_spec(spec: SystemSpec, options: SolveOptions) -> Answer:
    spec.order, spec.in_letters, spec.shown = options.order, options.is_in_letters, options.show
    system = build_question(spec) if spec.kind == "program" else build(spec, options.arithmetic)
    require_gradients([system], options.require, options.only, options.wrt)
    found = answer(system, spec.values, options)
    return found if isinstance(found.written, str) else found._replace(written=bytes(found.written))
