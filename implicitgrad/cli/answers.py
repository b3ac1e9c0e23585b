"""Answer systems for solve: a text or a file's bytes for each, in this process or in one that can be killed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.characters import count
from implicitgrad.draft import Draft, NeedsAlgebra
from implicitgrad.errors import LIMITS, InputError, Problem, UsageError
from implicitgrad.part import Part
from implicitgrad.requirement import UNIQUE_GRADIENT, facts_of, unmet
from implicitgrad.solution import Solution
from implicitgrad.solvers import solve_system
from implicitgrad.system import LinearSystem

if TYPE_CHECKING:
    from implicitgrad.limits import Result, Work


ARRAYS = ("npy", "npz")


class Asked(NamedTuple):
    """What is asked of every system."""

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
    """Where answers go; None is standard output."""


class Answer(NamedTuple):
    """The answer to one system."""

    written: str | memoryview | bytes
    note: str | None
    """What a NumPy file cannot hold."""
    unmet: tuple[Problem, ...]
    """The requirement that the answer does not meet."""


class System(NamedTuple):
    """A system on its way to an answer."""

    system: LinearSystem | Draft
    """A draft, if it is more than numbers."""
    parts: dict[str, Part]
    """As it was written, where that is to be written again."""

    @property
    def is_of_numbers(self) -> bool:
        """Whether it is built."""
        return isinstance(self.system, LinearSystem)


def built(drafts: Iterable[Draft], asked: Asked) -> list[System]:
    """What is made of drafts without algebra. Raises InputError with the problems of all."""
    systems: list[System] = []
    problems: list[Problem] = []
    for draft in drafts:
        draft.order = asked.order
        try:
            systems.append(System(draft.build_numbers(asked.arithmetic), draft.parts if asked.form == "yaml" else {}))
        except NeedsAlgebra:
            systems.append(System(draft, {}))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return systems


def answers_to(systems: Sequence[System], asked: Asked) -> tuple[list[Answer], list[Problem]]:
    """Return the answers, and the problems of systems without one. Raises ImplicitGradError."""
    _refuse_several(systems, asked)
    _require_gradients([one.system for one in systems if isinstance(one.system, LinearSystem)], asked)
    return _split(_results(systems, asked))


def answers_within(
    seconds: float, drafts: Callable[[], Sequence[Draft]], source: str, asked: Asked
) -> tuple[list[Answer], list[Problem]]:
    """The same, of drafts that are read, and systems that are answered, within so many seconds each."""
    from implicitgrad.limits import each_apart

    answers, problems = _split(each_apart(lambda: _works(drafts(), asked), seconds), source)
    _refuse_several([*answers, *problems], asked)
    return answers, problems


def _results(systems: Sequence[System], asked: Asked) -> Iterator[Answer | Result]:
    for is_of_numbers, group in groupby(systems, lambda one: one.is_of_numbers):
        if is_of_numbers:
            for system, parts in group:
                assert isinstance(system, LinearSystem)
                yield _answer(system, parts, asked)
        else:
            from implicitgrad.limits import each_apart

            yield from each_apart(
                partial(_works, [one.system for one in group if isinstance(one.system, Draft)], asked)
            )


def _split(results: Iterable[Answer | Result], source: str | None = None) -> tuple[list[Answer], list[Problem]]:
    """Separate answers from the problems of systems without one. Raises any other error.

    source : of what cannot be read in time.
    """
    answers: list[Answer] = []
    problems: list[Problem] = []
    wrong: list[Problem] = []
    for result in results:
        if isinstance(result, Answer):
            answers.append(result)
        elif result.error is None:
            answers.append(result.value)
        elif isinstance(result.error, InputError):
            found = [
                problem._replace(source=problem.source or result.label or source) for problem in result.error.problems
            ]
            (problems if found[0].code in LIMITS else wrong).extend(found)
        else:
            raise result.error
    if wrong:
        raise InputError([*wrong, *problems])
    return answers, problems


def _works(drafts: Sequence[Draft], asked: Asked) -> list[Work]:
    from implicitgrad.limits import Work

    return [Work(draft.source, partial(_answer_draft, draft, asked)) for draft in drafts]


def _answer_draft(draft: Draft, asked: Asked) -> Answer:
    from implicitgrad.limits import build

    draft.order = asked.order
    system = build(draft, asked.arithmetic)
    _require_gradients([system], asked)
    answer = _answer(system, draft.parts, asked)
    return answer if isinstance(answer.written, str) else answer._replace(written=bytes(answer.written))


def _answer(system: LinearSystem, parts: dict[str, Part], asked: Asked) -> Answer:
    solution = solve_system(
        system,
        asked.free,
        rtol=asked.rtol,
        gradient_alone=asked.only is not None,
        order=asked.order,
        steps=asked.steps,
    )
    problems = [problem for one in asked.require if (problem := unmet(facts_of(solution), one))]
    if asked.form in ARRAYS:
        return Answer(*_array(solution, asked), tuple(problems))
    return Answer(_text(solution, parts, asked), None, tuple(problems))


def _refuse_several(systems: Sequence[object], asked: Asked) -> None:
    if len(systems) == 1:
        return
    if asked.form in ARRAYS:
        message = f"a NumPy file holds one system's answer, and there are {len(systems)}"
        raise UsageError(f"--output {asked.file}: {message}")
    if asked.form == "csv":
        hint = "--format yaml has a document each"
        raise UsageError(f"--format csv is one system's answer, and there are {len(systems)}", hint)


def _require_gradients(systems: Sequence[LinearSystem], asked: Asked) -> None:
    needed = {
        f"--require {UNIQUE_GRADIENT}": UNIQUE_GRADIENT in asked.require,
        f"--only {asked.only}": asked.only is not None,
    }
    for option, is_asked in needed.items():
        lacking = [system.source for system in systems if system.dL_dy is None] if is_asked else []
        message = f"{option} needs dL_dy, and there is none"
        if lacking:
            raise InputError(Problem(message, "Give it in the file or with -g", source=source) for source in lacking)


def _array(solution: Solution, asked: Asked) -> tuple[memoryview, str | None]:
    """What goes into a .npy or .npz file, and what is to be said of the first, which has no place for more."""
    from implicitgrad.writers.arrays import undetermined, write_npy, write_npz

    if asked.form == "npz":
        return write_npz(solution), None
    note = None
    if lacking := undetermined(solution):
        hint = "a name that ends in .npz gets the general solution"
        note = f"implicitgrad: {asked.file}: {count(lacking, 'entry')} not determined, and NaN there; {hint}"
    return write_npy(solution), note


def _text(solution: Solution, parts: dict[str, Part], asked: Asked) -> str:
    if asked.form == "json":
        from implicitgrad.writers.record import write_record

        return write_record(solution) + "\n"
    if asked.form == "markdown":
        from implicitgrad.writers.markdown import write_markdown

        return write_markdown(solution, asked.digits)
    if asked.form == "latex":
        from implicitgrad.writers.latex import write_latex

        return write_latex(solution, asked.digits)
    if asked.form == "table":
        return _table(solution, asked)
    from implicitgrad.writers import restated

    return restated.write_yaml(solution, parts) if asked.form == "yaml" else restated.write_csv(solution)


def _table(solution: Solution, asked: Asked) -> str:
    from implicitgrad.cli.screen import stdout_screen
    from implicitgrad.writers.screen import Screen

    if not solution.is_large or asked.is_full or asked.file is not None:
        from implicitgrad.writers.table import write_table

        return write_table(solution, Screen() if asked.file is not None else stdout_screen(), asked.digits)
    from implicitgrad.writers.summary import write_summary

    return write_summary(solution, stdout_screen(), asked.digits)
