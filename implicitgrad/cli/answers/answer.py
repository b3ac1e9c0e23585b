"""Answer the systems of solve: a text or a file's bytes for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.model.spec import NeedsAlgebra, SourceValue, SystemSpec
from implicitgrad.model.system import Arithmetic, LinearSystem
from implicitgrad.numbers.display.form import DEFAULT, NumberForm, NumberOptions
from implicitgrad.readers.systems.build import build_question
from implicitgrad.solvers.dispatch import solve_system
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.writers.formats import FORMATS
from implicitgrad.writers.options import WriteOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from implicitgrad.model.program.solution import ProgramSolution
    from implicitgrad.model.solution import Solution
    from implicitgrad.readers.systems.build import Question


class SolveOptions(NamedTuple):
    """The options that apply to every system, by the names of their parameters."""

    form: str
    arithmetic: str
    order: int
    notation: str
    free: tuple[str, ...] = ()
    rtol: float | None = None
    only: str | None = None
    steps: bool = False
    require: tuple[str, ...] = ()
    digits: int | None = None
    full: bool = False
    file: str | None = None
    """The output file; None for standard output."""
    wrt: tuple[str, ...] = ()
    """What to differentiate in: x, A and B of a system, or the parameters of a program that a page shows."""
    pieces: bool = False
    """Whether all Jacobians around a kink of a program are asked for."""
    direction: Mapping[str, Fraction] | None = None
    """A direction in which a program's derivative is asked for."""
    show: tuple[str, ...] = ()
    """The names and patterns of what a page shows; none for everything."""
    sort: bool = False
    """Whether the rows and the columns of the largest entries come first."""
    time_limit: float | None = None

    @property
    def is_in_letters(self) -> bool:
        """Whether derivatives of a system are asked for in other than x."""
        return any(key != "x" for key in self.wrt)

    @property
    def numbers(self) -> NumberOptions:
        """How numbers are written."""
        form = NumberForm(self.notation)
        if self.digits is None:
            return DEFAULT._replace(form=form)
        return NumberOptions(self.digits, form, self.digits, self.digits)


class Answer(NamedTuple):
    """The answer to one system, ready to be written."""

    written: str | memoryview | bytes
    limitation: str | None
    """What the format leaves out of it."""
    unmet: tuple[Problem, ...]
    """The requirements that the answer does not meet."""


def build_systems(specs: Iterable[SystemSpec], options: SolveOptions) -> list[Question] | None:
    """Build systems; return None if one of them needs algebra. Raise InputError with the problems of all."""
    systems: list[Question] = []
    problems: list[Problem] = []
    needs_algebra = False
    for spec in specs:
        spec.order, spec.in_letters, spec.shown = options.order, options.is_in_letters, options.show
        try:
            system = build_question(spec, options.arithmetic, allow_algebra=False)
            if options.arithmetic == Arithmetic.EXACT and isinstance(system, LinearSystem):
                from implicitgrad.model.exact_cost import refuse_long_work

                refuse_long_work(system)
            systems.append(system)
        except NeedsAlgebra:
            needs_algebra = True
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return None if needs_algebra else systems


def _solve(system: Question, options: SolveOptions) -> Solution | ProgramSolution:
    if options.wrt or options.pieces or options.direction is not None:
        from implicitgrad.cli.answers.refusals import refuse_beside_linear, refuse_strange

        refuse_strange(system, options.wrt)
        refuse_beside_linear(system, {"--pieces": options.pieces, "--direction": options.direction is not None})
    if system.kind == "program":
        from implicitgrad.cli.answers.program import solve_program

        linear = {"--free": options.free, "--rtol": options.rtol is not None, "--order": options.order > 1}
        return solve_program(
            system, linear, steps=options.steps, is_gradient_alone=options.only is not None,
            pieces=options.pieces, direction=options.direction,
        )  # fmt: skip
    return solve_system(
        system, options.free, rtol=options.rtol, gradient_alone=options.only is not None, order=options.order,
        steps=options.steps, wrt=options.wrt,
    )  # fmt: skip


def answer(system: Question, values: Mapping[str, SourceValue], options: SolveOptions) -> Answer:
    """Solve a system and write its answer. values : the system's, as written. Raise ImplicitGradError."""
    solution = _solve(system, options)
    if options.numbers.form is NumberForm.FRACTION:
        from implicitgrad.cli.answers.refusals import require_exact

        require_exact(solution)
    problems: list[Problem] = []
    if options.require:
        from implicitgrad.model.requirement import facts_of, unmet

        problems = [problem for one in options.require if (problem := unmet(facts_of(solution), one))]
    selection = None
    if options.show or options.sort:
        from implicitgrad.cli.answers.show_and_sort import selection_of

        selection = selection_of(solution, options.show, is_sorted=options.sort)
    form, is_on_screen = FORMATS[options.form], options.file is None
    asked = WriteOptions(
        options.numbers, options.full or not is_on_screen, is_on_screen, values,
        wrt=options.wrt, has_steps=options.steps, selection=selection,
    )  # fmt: skip
    return Answer(form.write(solution, asked), form.limitation(solution, asked), tuple(problems))
