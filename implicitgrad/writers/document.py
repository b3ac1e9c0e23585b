"""The document: the contents of a page about a Solution, in sections that each page format lays out."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Arithmetic, Status
from implicitgrad.numbers.display.form import ROUNDED
from implicitgrad.numbers.display.style import show_decimal
from implicitgrad.numbers.exact import exact_square_root
from implicitgrad.text.characters import count
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.writers.elements import Block, Role, Section, Sentence, titled
from implicitgrad.writers.options import ShownAnswer

if TYPE_CHECKING:
    from implicitgrad.model.selection import Selection
    from implicitgrad.writers.notation import Notation
    from implicitgrad.writers.options import AnySolution, WriteOptions
    from implicitgrad.writers.program.document import ProgramDocument

MAX_TERMS = 100_000
"""The most terms of an answer on a page, one for each free unknown that an entry depends on; seconds of work."""
CONDITION_DIGITS = 3
"""The most digits of a condition number."""


def document_of(solution: AnySolution, notation: Notation, options: WriteOptions) -> Document | ProgramDocument:
    """Return the document about a solution, of a system or of a program."""
    if solution.kind == "program":
        from implicitgrad.writers.program.document import ProgramDocument

        return ProgramDocument(solution, notation, options.wrt, options.selection, has_steps=options.has_steps)
    return Document(solution, notation, options.selection)


class Document:
    """The contents of a page on a Solution, in a notation."""

    def __init__(self, solution: Solution, notation: Notation, selection: Selection | None = None) -> None:
        """Collect the names and the free unknowns. selection : what of ∂y/∂x is shown; None for everything."""
        self.solution, self.system, self.notation = solution, solution.system, notation
        if selection is None:
            self.shown = ShownAnswer.whole(solution)
        else:
            from implicitgrad.writers.sections.shown_part import selected

            self.shown = selected(solution, selection)
        self.inputs = tuple(map(notation.label, self.shown.x))
        self.y = tuple(map(notation.label, self.shown.y))
        self.free = tuple(map(notation.label, solution.general.free))

    @property
    def is_good(self) -> bool:
        """Whether the answer is what a user hopes for: everything is determined."""
        return self.solution.status is Status.DETERMINED

    def question(self) -> list[str]:
        """Return the question: the file, the equation, and its size."""
        system = self.system
        counts = [count(system.equations, "equation"), count(system.unknowns, "unknown")]
        if system.B is not None:
            counts.append(count(system.inputs, "input"))
        parts = ["x = A·y" if system.B is None else "B·x = A·y", ", ".join(counts)]
        if system.origin is not None:
            parts[0] = "equations" if system.origin.is_linear else "F(x, y) = 0"
        if system.origin is not None or system.x_value is not None:
            from implicitgrad.writers.sections.point import describe_point

            parts[1:1] = describe_point(system, self.notation)
        return titled(system.source, system.name, self.notation.label, parts)

    def findings(self) -> list[str]:
        """Return the findings: the status and its reasons."""
        solution = self.solution
        found = [f"rank {solution.rank} of {self.system.unknowns}"]
        if self.free and self.solution.independent:
            found.append(f"{count(len(self.free), 'unknown')} {'is' if len(self.free) == 1 else 'are'} free")
        if solution.constraints is not None:
            found.append(f"{count(len(solution.constraints.dependent), 'constraint')} on x")
        if solution.condition_squared is not None:
            found.append(f"condition {self._condition(solution.condition_squared)}")
        return [f"{solution.status}:", *(f"{part}," for part in found), self._arithmetic()]

    def _condition(self, squared: Fraction) -> str:
        digits = min(CONDITION_DIGITS, self.notation.options.digits)
        if self.solution.arithmetic is not Arithmetic.EXACT:
            return ROUNDED + f"{self.solution.condition:.{digits}g}".replace("e+0", "e+")
        if (root := exact_square_root(squared)) is not None:
            return show_decimal(root, digits)
        if (double := self.solution.condition) is None:
            return "> 1e308"
        return ROUNDED + show_decimal(Fraction(double), digits).removeprefix(ROUNDED)

    def _arithmetic(self) -> str:
        if self.solution.arithmetic is not Arithmetic.FLOAT:
            return str(self.solution.arithmetic)
        from implicitgrad.writers.sections.error_bounds import describe_bounds

        return describe_bounds(*self.solution.error_bounds)

    def sections(self) -> Iterator[Section]:
        """Yield what follows the question and the findings: the derivation or the answer, conditions, warnings.

        Raise InputError for an answer that is too long for a page.
        """
        if (terms := self.count_terms()) > MAX_TERMS:
            message = f"expected an answer of at most {MAX_TERMS:,} terms on a page, got {terms:,}"
            hint = "--show picks some; --format json writes all of it, and so does --output with a name ending in .npz"
            raise InputError([Problem(message, hint, "too-large", self.system.source)])
        if self.solution.derivation is not None:
            from implicitgrad.writers.sections.steps import derive

            yield from derive(self.solution, self.notation)
        elif self.solution.at_value is None or self.solution.at_value.shows_x:
            yield from self._answer()
        second = self.solution.second
        if second is not None and not (second and self.solution.derivation):
            from implicitgrad.writers.sections.second_derivatives import show_second_derivatives

            yield from show_second_derivatives(self.solution, second, self.notation, self.shown)
        if self.solution.along is not None:
            from implicitgrad.writers.sections.along import show_along

            yield from show_along(self.solution, self.notation, self.shown)
        if self.solution.at_value is not None:
            from implicitgrad.writers.sections.at_value import show_at_value

            yield from show_at_value(self.solution, self.notation, self.shown)
        if self.solution.validity is not None:
            from implicitgrad.writers.sections.where_it_holds import describe_conditions

            yield from describe_conditions(self.solution, self.solution.validity, self.notation)
        yield from self.warnings()

    def dependence(self) -> Iterator[Section]:
        """Yield what of a singular system is dependent and what is not determined."""
        if self.free or self.solution.rank < self.system.equations:
            from implicitgrad.writers.sections.dependence import explain_dependence

            yield from explain_dependence(self.solution, self.notation)

    def warnings(self) -> list[Section]:
        """Return a section for each warning."""
        return [Section((Sentence(f"warning: {text}", Role.WARNING),)) for _, text in self.solution.warnings]

    def _answer(self) -> Iterator[Section]:
        constraints = self.solution.constraints
        if constraints is not None:
            from implicitgrad.writers.sections.constraints import show_constraints

            yield from show_constraints(self.solution, constraints, self.notation)
        yield from self.dependence()
        if not self.solution.independent:
            return
        if self.shown.note:
            yield Section((Sentence(self.shown.note, Role.ASIDE),))
        yield Section((self.notation.in_one_style(self._general),))
        if constraints is not None:
            from implicitgrad.writers.sections.constraints import name_unconstrained

            yield from name_unconstrained(self.solution, constraints, self.notation)
        if self.solution.general.free and not self.solution.theorem_fails:
            from implicitgrad.writers.sections.not_unique import show_minimum_norm

            yield from show_minimum_norm(self.solution, self.shown, self.notation)

    def _general(self, notation: Notation) -> Block:
        """Return ∂y/∂x and ∂L/∂x; undetermined entries are expressions in the free ones."""
        if self.free:
            from implicitgrad.writers.sections.not_unique import in_free_unknowns

            return in_free_unknowns(self.solution, self.shown, notation)
        general = self.shown.general
        J = () if self.solution.is_gradient_alone else general.particular.bounded_rows()
        dL_dx = () if general.dL_dx_particular is None else general.dL_dx_particular.bounded_rows()
        return notation.jacobian(self.shown, J, dL_dx)

    def count_terms(self) -> int:
        """Return the number of terms on a page."""
        general, P = self.shown.general, len(self.inputs)
        dependencies = general.null_space.count_nonzero() - len({*general.free} & {*self.shown.y})
        terms = 0 if self.solution.is_gradient_alone else (len(self.y) + dependencies) * P
        if general.dL_dx_coefficients is not None:
            terms += len(general.dL_dx_coefficients) * P * (1 + len(general.free))
        if (at := self.solution.at_value) is not None:
            shapes = (one.shape for one in (*(at.dL_dA or ()), *(at.dL_dB or ())))
            terms += sum(rows * columns for rows, columns in shapes)
        return terms
