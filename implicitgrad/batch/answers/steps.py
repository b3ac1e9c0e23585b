"""Answer the systems of an item: read, build, solve and write."""

from __future__ import annotations

import os.path
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from implicitgrad.batch.task import BatchResult, BatchTask, Item
from implicitgrad.model.exact_cost import refuse_long_work
from implicitgrad.model.requirement import facts_of, unmet
from implicitgrad.model.spec import SystemSpec
from implicitgrad.model.system import Arithmetic, LinearSystem
from implicitgrad.readers.sources import decode, read_specs, stem
from implicitgrad.readers.systems.build import build_question
from implicitgrad.readers.yaml.json_lines import read_json_line
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.text.characters import count, printable
from implicitgrad.text.errors import ImplicitGradError, Problem, UsageError
from implicitgrad.text.internal_errors import unforeseen_problem
from implicitgrad.writers.formats import FORMATS, JSON
from implicitgrad.writers.options import WriteOptions

if TYPE_CHECKING:
    from implicitgrad.model.program.problem import QuadraticProgram
    from implicitgrad.model.program.solution import ProgramSolution
    from implicitgrad.model.solution import Solution
    from implicitgrad.readers.systems.build import Question


class Position(NamedTuple):
    """The position of a system among items."""

    item: int
    number: int
    """Its number within the item; both 0-based."""


class Identity(NamedTuple):
    """The part of a system that is known without its answer."""

    position: Position
    is_last: bool
    """Whether it is the last system of its item."""
    source: str
    name: str
    content_hash: str | None


class BatchSystem:
    """A system on its way to a result."""

    __slots__ = ("identity", "reading_seconds", "spec", "state")

    def __init__(self, identity: Identity, state: SystemSpec | Problem, reading_seconds: float = 0) -> None:
        self.identity = identity
        self.state: SystemSpec | Question | Solution | ProgramSolution | BatchResult | Problem = state
        """How far it is; a Problem as soon as there is one."""
        self.spec = state if isinstance(state, SystemSpec) else None
        self.reading_seconds = reading_seconds
        """The time that reading took; 0 if it was spent on other systems, too."""

    @property
    def needs_algebra(self) -> bool:
        """Whether it has to be built with sympy."""
        return isinstance(self.state, SystemSpec) and self.state.linearize is not None


def read_item(item: Item, task: BatchTask, index: int = 0) -> list[BatchSystem]:
    """Read the systems of an item, the ``index``-th of some; if that fails, return one with the problem."""
    started = 0.0 if task.time_limit is None else time.monotonic()
    content_hash = None
    try:
        content_hash = task.content_hash(item)
        specs = _read_specs(item, task)
        # resumption must know how many results a file has
        marked = content_hash if content_hash is None or len(specs) == 1 else f"{content_hash}/{len(specs)}"
        numbers = range(item.since, len(specs)) if item.only is None else [item.only]
        seconds = time.monotonic() - started if started and len(specs) == 1 else 0.0
        return [
            BatchSystem(
                Identity(Position(index, k), k == numbers[-1], specs[k].source, specs[k].name, marked),
                specs[k],
                seconds,
            )
            for k in numbers
        ]
    except Exception as error:
        identity = Identity(Position(index, item.since), True, item.source, _name(item.source), content_hash)
        return [BatchSystem(identity, problem_of(error, item.source))]


def answer_together(systems: Sequence[BatchSystem], task: BatchTask) -> list[BatchResult]:
    """Answer small systems, each step for all of them: repeating a step is a fifth faster."""
    build_systems(systems, task)
    _apply(_solve, systems, task)
    _apply(_write, systems, task)
    return [_result_of(system, task) for system in systems]


def build_systems(systems: Sequence[BatchSystem], task: BatchTask) -> None:
    """Build the systems that are not built yet; those of a stack may be answered at once."""
    if task.is_of_numbers and any(system.spec is not None and system.spec.place is not None for system in systems):
        from implicitgrad.batch.answers.stacks import answer_stacks

        specs = [one.state if isinstance(one.state, SystemSpec) else None for one in systems]
        for k, result in answer_stacks(specs, task).items():
            systems[k].state = result
    _apply(_build, systems, task)


def answer_alone(system: BatchSystem, task: BatchTask) -> list[BatchResult]:
    """Answer one system in an isolated process, within the budget of algebra if it needs that. Raise MemoryError."""
    if system.needs_algebra:
        from implicitgrad.batch.isolation.process import begin_algebra

        begin_algebra()
    for step in (_build, _solve, _write):
        _apply(step, [system], task, catches_memory_error=False)
    return [_result_of(system, task)]


def failure(identity: Identity, problem: Problem, task: BatchTask) -> BatchResult:
    """Return the result of a system that has no answer."""
    form = FORMATS[task.form if task.is_combined else JSON]
    written = form.batch().failure(identity.source, identity.name, problem, identity.content_hash)
    return BatchResult(identity.source, "error", written, problem)


def item_failure(source: str, problem: Problem, task: BatchTask) -> BatchResult:
    """Return the result of an item that could not be read or whose process died."""
    return failure(Identity(Position(0, 0), True, source, _name(source), None), problem, task)


def problem_of(error: Exception, source: str) -> Problem:
    """Describe why a system has no answer."""
    if isinstance(error, ImplicitGradError):
        first, *others = error.problems
        if others:
            first = first._replace(message=f"{first.message} (and {count(len(others), 'more problem')})")
        if isinstance(error, UsageError):
            first = first._replace(message=first.message.removeprefix(f"{printable(source)}: "))
        return first if first.source else first._replace(source=source)
    return unforeseen_problem(error, "the input", source)


def _apply(
    step: Callable[[BatchSystem, BatchTask], None],
    systems: Sequence[BatchSystem],
    task: BatchTask,
    *,
    catches_memory_error: bool = True,
) -> None:
    for system in systems:
        if not isinstance(system.state, (Problem, BatchResult)):
            try:
                step(system, task)
            except Exception as error:
                if isinstance(error, MemoryError) and not catches_memory_error:
                    raise
                system.state = problem_of(error, system.identity.source)


def _read_specs(item: Item, task: BatchTask) -> list[SystemSpec]:
    source = item.source
    if item.data is not None and item.line is not None:
        return [read_json_line(decode(source, item.data, item.line), source, item.line)]
    return read_specs(source, task.csv_form, None if item.data is None else decode(source, item.data))


def _build(system: BatchSystem, task: BatchTask) -> None:
    spec = system.state
    if not isinstance(spec, SystemSpec):
        return
    if spec.origin is None and spec.linearize is None:
        spec.no_letters_hint = "batch reads no letters in A, B and dL_dy; implicitgrad solve does"
    system.state = build_question(spec, task.arithmetic)


def _solve(system: BatchSystem, task: BatchTask) -> None:
    linear = system.state
    if not isinstance(linear, LinearSystem):
        from implicitgrad.solvers.program.solver import solve_in_any_arithmetic

        system.state = solve_in_any_arithmetic(cast("QuadraticProgram", linear))
        return
    if task.arithmetic == Arithmetic.EXACT and task.time_limit is None:
        refuse_long_work(linear)
    system.state = solution = solve_system(linear, rtol=task.rtol, gradient_alone=linear.is_sparse)
    if task.free and solution.general.free:
        system.state = solve_system(linear, task.free, rtol=task.rtol)


def _write(system: BatchSystem, task: BatchTask) -> None:
    solution = cast("Solution | ProgramSolution", system.state)
    written = _written(solution, task, system)
    problem = None
    if task.require:
        facts = facts_of(solution)
        problem = next((problem for one in task.require if (problem := unmet(facts, one))), None)
    system.state = BatchResult(system.identity.source, str(solution.status), written, problem)


def _result_of(system: BatchSystem, task: BatchTask) -> BatchResult:
    if isinstance(system.state, BatchResult):
        return system.state
    assert isinstance(system.state, Problem)
    return failure(system.identity, system.state, task)


def _name(source: str) -> str:
    return stem(os.path.normpath(source))


def _written(solution: Solution | ProgramSolution, task: BatchTask, system: BatchSystem) -> object:
    content_hash = system.identity.content_hash
    if task.is_combined:
        return FORMATS[task.form].batch().answer(solution, content_hash)
    assert system.spec is not None
    options = WriteOptions(values=system.spec.values, record_keys={"content_hash": content_hash})
    written = FORMATS[task.form].write(solution, options)
    return written if isinstance(written, str) else bytes(written)
