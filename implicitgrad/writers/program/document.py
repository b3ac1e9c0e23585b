"""The document on a ProgramSolution, in sections that each page format lays out.

They stand together, since all show the parameters and rows that are chosen, in the notation of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeVar

from implicitgrad.model.program.solution import (
    Derivatives,
    FarkasCertificate,
    Missing,
    Parameter,
    PartialVector,
    Piece,
    ProgramSolution,
    ProgramStatus,
    RayCertificate,
    Slope,
)
from implicitgrad.numbers.display.style import Expression
from implicitgrad.text.characters import count, listed
from implicitgrad.writers.elements import Block, Equations, Role, Row, Section, Sentence, loss_names, titled
from implicitgrad.writers.sections.error_bounds import power_of_ten_above

if TYPE_CHECKING:
    from implicitgrad.model.selection import Selection
    from implicitgrad.writers.notation import Notation

T = TypeVar("T")
VECTORS = ("q", "h", "b", "lb", "ub")
LETTERS = ("x",)
MATRICES = ("P", "G", "A")
NOTHING = Expression(("",))
SIDES = ("left", "right")
UNDECIDED, NOT_UNIQUE, INFEASIBLE = (Expression((text,)) for text in ("not decided", "not unique", "infeasible"))


class ProgramDocument:
    """The contents of a page on a ProgramSolution, in a notation."""

    def __init__(
        self,
        solution: ProgramSolution,
        notation: Notation,
        wrt: Sequence[str] = (),
        selection: Selection | None = None,
        *,
        has_steps: bool = False,
    ) -> None:
        """Take what is shown.

        wrt : keys of parameters; none for the letters, or else for vectors. has_steps : with the derivation.
        selection : the unknowns, and the numbers of the parameters, that are shown; None for all.
        """
        self.solution, self.program, self.notation = solution, solution.program, notation
        self.losses = loss_names(len(self.program.losses))
        self.wrt, self.label = wrt or usual_parameters(solution), notation.label
        self.derivatives, self.has_steps = all_derivatives(solution), has_steps
        self.rows: Sequence[int] = range(self.program.unknowns) if selection is None else selection.rows
        self.z = [self.program.z[j] for j in self.rows]
        self.columns = chosen_parameters(self.derivatives, selection)

    @property
    def is_good(self) -> bool:
        """Whether the answer is what a user hopes for: everything exists."""
        return self.solution.status is ProgramStatus.DIFFERENTIABLE

    def question(self) -> list[str]:
        """Return what was asked: the file, the problem, its size."""
        program = self.program
        is_linear = not any(map(any, program.P))
        verb = "maximise" if program.is_maximum else "minimise"
        objective = f"{verb} {'qᵀz' if is_linear else '½·zᵀPz + qᵀz'}"
        bounds = len(self.solution.inequalities) - len(program.h)
        sizes = [count(program.unknowns, "unknown")]
        sizes += [count(len(program.h), "inequality")] if program.h else []
        sizes += [count(bounds, "bound")] if bounds else []
        sizes += [count(len(program.b), "equality")] if program.b else []
        parts = [objective, ", ".join(sizes)]
        if program.letters:
            values = [f"{self.label(one.name)} = {self.notation.number(one.value)}" for one in program.letters]
            parts[1:1] = [f"at {', '.join(values)}"]
        return titled(program.source, program.name, self.label, parts)

    def findings(self) -> list[str]:
        """Return what was found: the verdict and what it rests on."""
        solution = self.solution
        found = [f"{solution.status}:"]
        if solution.z is None:
            is_infeasible = solution.status is ProgramStatus.INFEASIBLE
            found.append(
                "no point satisfies the constraints," if is_infeasible else "the objective has no finite bound,"
            )
        else:
            found.append("z is unique," if solution.is_unique else "z is not unique,")
            active = len(solution.active)
            what = count(active, "inequality") if active else "no inequality"
            found.append(f"{what} {'are' if active > 1 else 'is'} active,")
        bound = solution.error_bound
        return [*found, "exact" if bound is None else f"float, error ≤ {power_of_ten_above(bound)}"]

    def sections(self) -> Iterator[Section]:
        """Yield what follows the question and the findings."""
        solution = self.solution
        if reasons := tuple(self._reasons()):
            yield Section(reasons)
        if isinstance(solution.certificate, FarkasCertificate):
            yield Section((Sentence(self._contradiction(solution.certificate)),))
        if isinstance(solution.certificate, RayCertificate):
            verb = "grows" if self.program.is_maximum else "falls"
            yield Section((Sentence(f"from the point the objective {verb} for ever along the direction", Role.ASIDE),))
            vectors = map(self._of_shown, (solution.certificate.point, solution.certificate.ray))
            lines, labels = list(zip(*vectors, strict=True)), list(map(self.label, self.z))
            yield Section((self.notation.table("", ("point", "direction"), labels, lines),))
        if self.has_steps:
            from implicitgrad.writers.program.steps import derive

            yield from derive(solution, self.notation)
        if solution.z is not None:
            yield from self.notation.in_one_style(self._optimum)
        yield from self._face()
        if solution.constraints is not None:
            constrained = Sentence("b is constrained:", Role.FINDING)
            yield Section((constrained, self.notation.in_one_style(self._constraints)))
        if self.derivatives is not None:
            yield from self._derivatives()
        if solution.directional is not None:
            yield from self._directional(*solution.directional)
        for piece in solution.pieces or ():
            yield from self.notation.in_one_style(partial(self._piece, piece))
        for _, text in solution.remarks:
            yield Section((Sentence(f"warning: {text}", Role.WARNING),))

    def _directional(self, direction: Mapping[str, Fraction], slope: Slope | Missing) -> Iterator[Section]:
        rates = ", ".join(
            f"{self.notation.mention(name)} at the rate {self.notation.number(rate)}"
            for name, rate in direction.items()
        )
        if isinstance(slope, Missing):
            yield Section((Sentence(f"in the direction of {rates}: {_words(slope)}", Role.FINDING),))
            return
        yield Section((Sentence(f"the derivative in the direction of {rates}", Role.ASIDE),))
        lines = [[NOT_UNIQUE if value is None else value] for value in (*self._of_shown(slope.z), *slope.losses)]
        labels = [f"d{label}" for label in (*map(self.label, self.z), *self.losses)]
        rows = self.notation.in_one_style(lambda notation: notation.rows(labels, lines))
        n = len(self.z)
        yield Section((Block(("",), rows[:n], rows[n:], corner=""),))

    def _piece(self, piece: Piece, notation: Notation) -> tuple[Section, Section]:
        """Return the Jacobian of one piece."""
        derivatives = self.solution.derivatives
        assert derivatives is not None
        held = "where no constraint is active"
        if piece.active:
            held = f"where {self._listed(piece.active)} {'is' if len(piece.active) == 1 else 'are'} active"
        shown = self._shown(derivatives, VECTORS if self.wrt == LETTERS else self.wrt)
        heads = tuple(self.label(derivatives.parameters[k].name) for k in shown)
        lines = [
            [INFEASIBLE if (value := row[k]) is None else value for k in shown]
            for row in (*self._of_shown(piece.z), *piece.losses)
        ]
        labels = [*map(self.label, self.z), *(f"∂{name}/∂" for name in self.losses)]
        rows = notation.rows(labels, lines)
        n = len(self.z)
        block = Block(heads, rows[:n], rows[n:], corner="∂z/∂")
        return Section((Sentence(held, Role.ASIDE),)), Section((block,))

    def _listed(self, inequalities: Sequence[int]) -> str:
        return listed(self.notation.mention(self.solution.inequalities[i].name) for i in inequalities)

    def _reasons(self) -> Iterator[Sentence]:
        """Yield why the status is not ``differentiable``."""
        solution = self.solution
        if solution.is_unique and solution.weak:
            are = (
                "is weakly active: its multiplier is"
                if len(solution.weak) == 1
                else "are weakly active: their multipliers are"
            )
            why = "and each side of a change has a derivative of its own"
            yield Sentence(f"{self._listed(solution.weak)} {are} 0, {why}", Role.FINDING)
        if solution.exchangeable:
            are = "has a multiplier that is" if len(solution.exchangeable) == 1 else "have multipliers that are"
            why = "for the gradients of active constraints are dependent"
            yield Sentence(f"{self._listed(solution.exchangeable)} {are} not unique, {why}", Role.FINDING)
        for dependency in solution.dependencies if solution.exchangeable else ():
            terms = [(factor, self.notation.name(name)) for name, factor in dependency.terms]
            total = self.notation.sum(Fraction(0), terms)
            satisfied = f"their rows satisfy {self.notation.inline(f'{total} = 0')}"
            yield Sentence(satisfied, Role.FINDING, is_spelled=True)

    def _contradiction(self, certificate: FarkasCertificate) -> str:
        """Return the combination of constraints that says 0 ≤ −1."""
        names = [row.name for row in self.solution.inequalities] + list(self.program.equality_names)
        factors = (*certificate.multipliers, *certificate.equality_multipliers)
        terms = [
            f"{self.notation.number(factor)}·{self.notation.mention(name)}"
            for name, factor in zip(names, factors, strict=True)
            if factor
        ]
        relation = "≤" if any(certificate.multipliers) else "="
        return f"{' + '.join(terms).replace('+ -', '− ')} says 0 {relation} {self.notation.number(certificate.value)}"

    def _optimum(self, notation: Notation) -> tuple[Section, Section]:
        """Return z beside the active constraints with their multipliers, and the objective."""
        solution = self.solution
        assert solution.z is not None
        assert solution.objective is not None
        values = notation.column(self._of_shown(solution.z))
        active = [
            (self.label(solution.inequalities[i].name), _range(*solution.ranges[i], notation), self._class(i))
            for i in solution.active
        ]
        active += [
            (self.label(name), "not unique" if value is None else notation.number(value), "equality")
            for name, value in zip(self.program.equality_names, solution.equality_multipliers, strict=True)
        ]
        rows = []
        for name, value, constraint in zip_longest(map(self.label, self.z), values, active):
            cells = tuple(Expression((text,)) for text in constraint or ("", "", ""))
            rows.append(Row(name or "", (value or NOTHING, *cells)))
        heads: tuple[str, ...] = ("z" if solution.is_unique else "one z", "active", "multiplier", "")
        if not active:
            rows = [row._replace(cells=row.cells[:1]) for row in rows]
            heads = heads[:1]
        block = Block(heads, tuple(rows), (), corner="", left_columns=frozenset({1, 3}))
        objective = notation.sum(solution.objective, ()).named("objective")
        return Section((block,)), Section((Equations((objective,)),))

    def _class(self, inequality: int) -> str:
        solution = self.solution
        return "weak" if inequality in solution.weak else "exchangeable" if inequality in solution.exchangeable else ""

    def _face(self) -> Iterator[Section]:
        """Yield the set of solutions where z is not unique, and what of the losses is the same in all of it."""
        solution = self.solution
        if not solution.face or solution.z is None:
            return
        equations = self.notation.in_one_style(self._solutions)
        yield Section((Sentence("the solutions are, within the constraints,"), equations))
        for label, is_unique in zip(self.losses, solution.unique_losses, strict=True):
            said = "is" if is_unique else "is not"
            yield Section((Sentence(f"{label} {said} the same at every solution, to first order"),))

    def _solutions(self, notation: Notation) -> Equations:
        """Return z in parameters along the set of solutions."""
        z, face = self.solution.z, self.solution.face
        assert z is not None
        parameters = [f"t{k + 1}" for k in range(len(face))] if len(face) > 1 else ["t"]
        rows = self._of_shown(list(zip(self.program.z, z, zip(*face, strict=True), strict=True)))
        return Equations(
            tuple(
                notation.sum(value, zip(directions, parameters, strict=True)).named(notation.name(name))
                for name, value, directions in rows
            )
        )

    def _constraints(self, notation: Notation) -> Equations:
        found = self.solution.constraints
        assert found is not None
        names = [notation.name(name) for name in self.program.equality_names if name not in found.dependent]
        return Equations(
            tuple(
                notation.sum(Fraction(0), zip(row, names, strict=True)).named(notation.name(name))
                for name, row in zip(found.dependent, found.matrix, strict=True)
            )
        )

    def _shown(self, derivatives: Derivatives, wrt: Sequence[str]) -> list[int]:
        """Return the numbers of the parameters shown: those chosen, or else all but those of inactive inequalities."""
        if chosen := [k for k in self.columns if k < len(derivatives.parameters)]:
            return chosen
        active = {
            (str(self.solution.inequalities[i].kind), self.solution.inequalities[i].number)
            for i in self.solution.active
        }
        return [
            k
            for k, parameter in enumerate(derivatives.parameters)
            if parameter.key in wrt
            and (parameter.key in ("q", "b", "x") or (parameter.key, parameter.number) in active)
        ]

    def _of_shown(self, values: Sequence[T]) -> list[T]:
        """Return the values of the unknowns that are shown, of those of all."""
        return [values[j] for j in self.rows]

    def _derivatives(self) -> Iterator[Section]:
        derivatives = self.derivatives
        assert derivatives is not None
        shown = self._shown(derivatives, self.wrt)
        if shown:
            parameters = [derivatives.parameters[k] for k in shown]
            yield Section((self.notation.in_one_style(partial(self._block, parameters, shown)),))
        inactive = len(self.solution.inequalities) - len(self.solution.active)
        if inactive and "h" in self.wrt:
            yield Section((Sentence(f"{count(inactive, 'inactive constraint')}: derivatives 0", Role.ASIDE),))
        if not self.solution.is_differentiable and any(key in self.wrt for key in MATRICES):
            yield Section((Sentence("∂L/∂P, ∂L/∂G and ∂L/∂A are given where z is differentiable in everything"),))
        for loss, gradients in zip(self.losses, self.solution.matrix_gradients or (), strict=False):
            for key, rows in (
                ("P", self.z),
                ("G", self.program.inequality_names),
                ("A", self.program.equality_names),
            ):
                matrix = getattr(gradients, key)
                if key in self.wrt and matrix:
                    matrix = self._of_shown(matrix) if key == "P" else matrix
                    labels, heads = (list(map(self.label, names)) for names in (rows, self.z))
                    lines = list(map(self._of_shown, matrix))
                    yield Section((self.notation.table(f"∂{loss}/∂{key}", heads, labels, lines),))

    def _block(self, parameters: Sequence[Parameter], shown: Sequence[int], notation: Notation) -> Block:
        """Return ∂z/∂ and ∂L/∂, with a row for each side where the sides differ."""
        derivatives = self.derivatives
        assert derivatives is not None
        names = () if self.solution.is_gradient_alone else self.z
        rows = list(
            self._sides(
                list(map(self.label, names)),
                [[row[k] for k in shown] for row in self._of_shown(derivatives.z)[: len(names)]],
                parameters,
                lambda slope, j: slope.z[self.rows[j]],
            )
        )
        losses = list(
            self._sides(
                [f"∂{name}/∂" for name in self.losses],
                [[row[k] for k in shown] for row in derivatives.losses],
                parameters,
                lambda slope, k: slope.losses[k],
            )
        )
        labels, lines = zip(*rows, *losses, strict=True)
        shown_rows = notation.rows(labels, lines)
        heads = tuple(self.label(parameter.name) for parameter in parameters)
        return Block(heads, shown_rows[: len(rows)], shown_rows[len(rows) :], corner="∂z/∂")

    def _sides(
        self,
        labels: Sequence[str],
        matrix: Sequence[PartialVector | Sequence[Fraction | None]],
        parameters: Sequence[Parameter],
        part: Callable[[Slope, int], Fraction | None],
    ) -> Iterator[tuple[str, list[Fraction | Expression]]]:
        """Yield a row for each label, or two where an entry has different sides: numbers, and words for the others."""
        derivatives = self.derivatives
        assert derivatives is not None
        for j, (label, values) in enumerate(zip(labels, matrix, strict=True)):
            pairs = [
                (UNDECIDED if value is None and parameter.name not in derivatives.one_sided else value, parameter)
                for value, parameter in zip(values, parameters, strict=True)
            ]
            for side in SIDES if any(value is None for value, _ in pairs) else ("",):
                cells: list[Fraction | Expression] = []
                for value, parameter in pairs:
                    if value is not None:
                        cells.append(value)
                        continue
                    slope: Slope | Missing = getattr(derivatives.one_sided[parameter.name], side)
                    found = slope if isinstance(slope, Missing) else part(slope, j)
                    cells.append(found if isinstance(found, Fraction) else _words(found))
                yield f"{label} {side}".rstrip(), cells


def _range(least: Fraction, most: Fraction | None, notation: Notation) -> str:
    """Return a multiplier, or its ends if it is not unique."""
    low = notation.number(least)
    if least == most:
        return low
    return f"≥ {low}" if most is None else f"{low} … {notation.number(most)}"


def usual_parameters(solution: ProgramSolution) -> tuple[str, ...]:
    """Return the keys of the parameters whose derivatives are shown unasked: the letters, or else the vectors."""
    return LETTERS if solution.program.letters else VECTORS


def chosen_parameters(derivatives: Derivatives | None, selection: Selection | None) -> tuple[int, ...]:
    """Return the numbers of the parameters that are chosen; none if that is all."""
    if derivatives is None or selection is None:
        return ()
    return () if selection.columns == tuple(range(len(derivatives.parameters))) else selection.columns


def all_derivatives(solution: ProgramSolution) -> Derivatives | None:
    """Return the derivatives in the numbers of a program, then those in its letters."""
    numbers, letters = solution.derivatives, solution.by_letter
    if numbers is None or letters is None:
        return numbers
    return numbers._replace(
        parameters=(*numbers.parameters, *letters.parameters),
        z=tuple((*a, *b) for a, b in zip(numbers.z, letters.z, strict=True)),
        losses=tuple((*a, *b) for a, b in zip(numbers.losses, letters.losses, strict=True)),
        one_sided={**numbers.one_sided, **letters.one_sided},
    )


def _words(missing: Missing | None) -> Expression:
    return INFEASIBLE if missing is Missing.INFEASIBLE else NOT_UNIQUE
