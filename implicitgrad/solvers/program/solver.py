"""QuadraticProgram → ProgramSolution, in exact arithmetic: the optimum with its proof, then its derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from implicitgrad.model.program import CanonicalProgram, QuadraticProgram, RowKind, Rows, Vector, product, times
from implicitgrad.model.program_solution import (
    Dependency,
    Derivatives,
    FarkasCertificate,
    MatrixGradients,
    Missing,
    Parameter,
    ProgramSolution,
    ProgramStatus,
    Sides,
)
from implicitgrad.model.solution import Constraints, Solution
from implicitgrad.model.system import LinearSystem
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.solvers.exact import solve_exact
from implicitgrad.solvers.program.active_set import ZERO, classify, multiplier_ranges, solution_face
from implicitgrad.solvers.program.convexity import negative_curvature
from implicitgrad.solvers.program.directions import Directions
from implicitgrad.solvers.program.kkt import kkt_system, value_of_unknowns
from implicitgrad.solvers.program.one_sided import Change, LocalProgram
from implicitgrad.solvers.program.optimum import Optimum, find_optimum
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.number_grammar import format_fraction

MAX_WITHOUT_GUESS = 24
"""Variables, constraints and multipliers up to which exact pivots are quicker than to guess a basis in doubles."""


def solve_program(program: QuadraticProgram) -> ProgramSolution:
    """Solve a convex quadratic program. Raise InputError if P is not positive semidefinite."""
    canonical = program.canonical()
    refuse_nonconvex(program, canonical.P)
    size = len(canonical.q) + len(canonical.d) + len(canonical.b)
    guessed = _proved_guess(program, canonical) if size > MAX_WITHOUT_GUESS else None
    found = guessed.optimum if guessed else find_optimum(canonical)
    if not isinstance(found, Optimum):
        is_infeasible = isinstance(found, FarkasCertificate)
        status = ProgramStatus.INFEASIBLE if is_infeasible else ProgramStatus.UNBOUNDED
        return ProgramSolution(program, tuple(program.inequalities()), status, certificate=found)
    return _OptimumAnalysis(program, canonical, found, guessed.kkt if guessed else None).solution()


def refuse_nonconvex(program: QuadraticProgram, P: Rows) -> None:
    """Raise InputError if P, symmetrised, is not positive semidefinite."""
    v = negative_curvature(P)
    if v is None:
        return
    curvature = format_fraction(product(v, times(P, v)))
    shown = ", ".join(f"{name} = {format_fraction(entry)}" for name, entry in zip(program.z, v, strict=True) if entry)
    what, sign = ("maximize: expected a concave", "-") if program.is_maximum else ("P: expected a convex", "")
    message = f"{what} objective, got vᵀPv = {sign}{curvature.removeprefix('-') if sign else curvature}"
    hint = "The derivative of a minimum needs a positive semidefinite P"
    raise InputError([Problem(f"{message} at v: {shown}", hint, "not-convex", program.source)])


class ProvedGuess(NamedTuple):
    """An optimum found in doubles and verified exactly."""

    optimum: Optimum
    kkt: Solution


def _proved_guess(program: QuadraticProgram, canonical: CanonicalProgram) -> ProvedGuess | None:
    """Solve the KKT conditions of a guessed basis exactly. Return None if the result is not optimal."""
    from implicitgrad.solvers.program.guess import guess_active

    active = guess_active(canonical)
    if active is None:
        return None
    kkt = solve_exact(kkt_system(program, canonical, active, range(len(canonical.b))))
    values = value_of_unknowns(kkt, canonical, active)
    n, k = len(canonical.q), len(active)
    z, given, duals = values[:n], values[n : n + k], values[n + k :]
    multipliers = [ZERO] * len(canonical.d)
    for i, multiplier in zip(active, given, strict=True):
        multipliers[i] = multiplier
    if min(given, default=0) < 0 or min(canonical.slacks(z), default=0) < 0:
        return None
    if kkt.constraints is not None or kkt.general.free:
        stationarity = canonical.gradient(z)
        for rows, factors in ((canonical.C, multipliers), (canonical.A, duals)):
            for row, factor in zip(rows, factors, strict=True):
                stationarity = tuple(a + factor * b for a, b in zip(stationarity, row, strict=True))
        slacks = canonical.slacks(z)
        if any(stationarity) or times(canonical.A, z) != canonical.b or any(slacks[i] for i in active):
            return None
    return ProvedGuess(Optimum(z, tuple(multipliers), duals), kkt)


class _OptimumAnalysis:
    """Derives all that is known of a program from an optimum."""

    def __init__(
        self, program: QuadraticProgram, canonical: CanonicalProgram, optimum: Optimum, kkt: Solution | None
    ) -> None:
        self.program, self.canonical, self.optimum = program, canonical, optimum
        self.inequalities = program.inequalities()
        self.gradient = canonical.gradient(optimum.z)
        self.constraints = _constraints_on_b(program)
        dependent = () if self.constraints is None else self.constraints.dependent
        self.equalities = [r for r, name in enumerate(program.equality_names) if name not in dependent]
        self.independent = canonical._replace(
            A=tuple(canonical.A[r] for r in self.equalities), b=tuple(canonical.b[r] for r in self.equalities)
        )
        tight = [i for i, slack in enumerate(canonical.slacks(optimum.z)) if not slack]
        self.found = classify(canonical, tight, self.gradient, optimum.multipliers)
        self._kkt = kkt

    def solution(self) -> ProgramSolution:
        """Return the whole answer."""
        program, found, optimum = self.program, self.found, self.optimum
        face, tight = solution_face(self.canonical, found)
        if face:
            found = self.found = found._replace(weak=tight)
        depends = [any(vector[len(found.positive) + r] for vector in found.dependencies) for r in range(len(program.b))]
        multipliers = [None if i in found.exchangeable else value for i, value in enumerate(optimum.multipliers)]
        status = self._status(face)
        objective = (product(self.gradient, optimum.z) + product(program.q, optimum.z)) / 2 + program.constant
        answer = ProgramSolution(
            program,
            tuple(self.inequalities),
            status,
            -objective if program.is_maximum else objective,
            optimum.z,
            tuple(multipliers),
            tuple(
                None if is_free else value for is_free, value in zip(depends, optimum.equality_multipliers, strict=True)
            ),
            multiplier_ranges(self.canonical, found, self.gradient, optimum.multipliers),
            tuple(found.strong),
            tuple(found.exchangeable),
            tuple(found.weak),
            tuple(self._dependencies()),
            tuple(face),
            tuple(not any(times(face, loss.z)) for loss in program.losses),
            self.constraints,
        )
        if face:
            return answer
        if program.has_multiplier_losses and not answer.has_unique_multipliers:
            message = "dL_dlambda and dL_dnu need unique multipliers, and these are not"
            raise InputError([Problem(message, "Leave them out", "not-unique", program.source)])
        is_differentiable = status is ProgramStatus.DIFFERENTIABLE
        kkt = self.kkt()
        derivatives = self._jointly(kkt) if is_differentiable else self._by_parameter()
        answer = answer._replace(
            is_differentiable_in_q=not found.weak,
            are_losses_differentiable=(True,) * len(program.losses) if is_differentiable else (),
            derivatives=derivatives,
            matrix_gradients=tuple(self._matrix_gradients(kkt)) if is_differentiable else None,
            kkt=kkt,
            remarks=tuple(self._remarks(kkt)),
        )
        return answer if program.letters is None else self._with_letters(answer)

    def _with_letters(self, answer: ProgramSolution) -> ProgramSolution:
        from implicitgrad.solvers.program.letters import differentiate_letters

        by_letter, remarks = differentiate_letters(answer, self.equalities, lambda: self.directions)
        return answer._replace(by_letter=by_letter, remarks=(*answer.remarks, *remarks))

    @cached_property
    def directions(self) -> Directions:
        """The derivatives along directions."""
        local = LocalProgram(self.independent, self.found, self.gradient)
        return Directions(self.program, self.inequalities, self.equalities, local)

    def kkt(self) -> Solution:
        """Return the solved linear system of the constraints that can have positive multipliers."""
        if self._kkt is not None and self._kkt.system.unknowns == len(self.program.q) + len(self.found.positive) + len(
            self.program.b
        ):
            names = tuple(self.inequalities[i].name for i in self.found.positive)
            n = len(self.program.q)
            if self._kkt.x[n : n + len(names)] == names:
                return self._kkt
        return solve_exact(kkt_system(self.program, self.canonical, self.found.positive, range(len(self.program.b))))

    def _status(self, face: Sequence[Vector]) -> ProgramStatus:
        found = self.found
        if face:
            return ProgramStatus.NOT_UNIQUE
        if found.weak or found.exchangeable:
            return ProgramStatus.ONE_SIDED
        return ProgramStatus.DIFFERENTIABLE if self.constraints is None else ProgramStatus.CONSTRAINED

    def _dependencies(self) -> Iterator[Dependency]:
        names = [self.inequalities[i].name for i in self.found.positive] + list(self.program.equality_names)
        for vector in self.found.dependencies:
            yield Dependency(tuple((name, entry) for name, entry in zip(names, vector, strict=True) if entry))

    def _remarks(self, kkt: Solution) -> Iterator[tuple[str, str]]:
        if kkt.general.free:
            names = ", ".join(kkt.general.free)
            yield (
                "kkt-singular",
                f"the KKT matrix is singular: {names} {'is' if len(kkt.general.free) == 1 else 'are'} free in it, "
                "though z is unique",
            )

    def _parameters(self) -> list[Parameter]:
        """Return q, the rows of G, the bounds and b; the bounds of inequalities by their numbers."""
        names = self.program.cost_names()
        return [
            *(Parameter("q", j, name) for j, name in enumerate(names)),
            *(Parameter(str(row.kind), row.number, row.name) for row in self.inequalities),
            *(Parameter("b", r, name) for r, name in enumerate(self.program.equality_names)),
        ]

    def _jointly(self, kkt: Solution) -> Derivatives:
        """Return the derivatives where K is regular and nothing is weak: they are its inverse's."""
        n, active = len(self.program.q), self.found.positive
        J = RationalMatrix.of(kkt.dy_dx)  # type: ignore[arg-type]
        places = {**{j: j for j in range(n)}, **{n + i: n + k for k, i in enumerate(active)}}
        m, p = len(self.inequalities), len(self.program.b)
        places |= {n + m + r: n + len(active) + r for r in range(p)}
        signs = [1] * n + [row.sign for row in self.inequalities] + [1] * p

        def spread(row: Sequence[Fraction]) -> Vector:
            return tuple(signs[k] * row[places[k]] if k in places else ZERO for k in range(n + m + p))

        rows = [spread(row) for row in J]
        losses = [spread(row) for row in kkt.dL_dx_rows or ()]  # type: ignore[arg-type]
        nothing = (ZERO,) * (n + m + p)
        by_number = dict(zip(active, rows[n : n + len(active)], strict=True))
        return Derivatives(
            tuple(self._parameters()),
            tuple(rows[:n]),
            tuple(losses),
            {},
            tuple(by_number.get(i, nothing) for i in range(m)),
            tuple(rows[n + len(active) :]),
        )

    def _by_parameter(self) -> Derivatives:
        """Return the derivatives from both sides in each parameter."""
        directions, n = self.directions, len(self.program.q)
        K = len(self.program.losses)
        columns: list[Sides] = []
        parameters = self._parameters()
        for number, parameter in enumerate(parameters):
            unit = self._unit_change(directions.nothing, parameter, number - n)
            columns.append(Sides(unit, unit) if isinstance(unit, Missing) else directions.sides(unit))
        return Derivatives(
            tuple(parameters),
            tuple(
                tuple(sides.right.z[j] if sides.z_agrees else None for sides in columns)  # type: ignore[union-attr]
                for j in range(n)
            ),
            tuple(tuple(sides.loss(k) for sides in columns) for k in range(K)),
            {parameter.name: sides for parameter, sides in zip(parameters, columns, strict=True) if not sides.z_agrees},
            None,
            None,
        )

    def _unit_change(self, nothing: Change, parameter: Parameter, row: int) -> Change | Missing:
        """Return the direction in which a parameter grows; Missing for a dependent b, which cannot change alone."""
        if parameter.key == "q":
            return nothing._replace(q=_unit(len(nothing.q), parameter.number))
        if parameter.key == "b":
            if parameter.number not in self.equalities:
                return Missing.INFEASIBLE
            return nothing._replace(b=_unit(len(nothing.b), self.equalities.index(parameter.number)))
        active = self.found.active
        if row not in active:
            return nothing
        sign = self.inequalities[row].sign
        return nothing._replace(d=_unit(len(active), active.index(row), sign))

    def _matrix_gradients(self, kkt: Solution) -> Iterator[MatrixGradients]:
        """Yield ∂L/∂P = −½(u_z·zᵀ + z·u_zᵀ), ∂L/∂G = −(λ·u_zᵀ + u_λ·zᵀ) and ∂L/∂A = −(ν·u_zᵀ + u_ν·zᵀ) of each loss.

        u solves K·u = (∂L/∂z, ∂L/∂λ, ∂L/∂ν); (−u_z, u_λ, u_ν) is ∂L/∂(q, d, b). Source: Amos and Kolter, *OptNet*
        (2017), section 3.
        """
        z, n, active = self.optimum.z, len(self.program.q), self.found.positive
        for row in kkt.dL_dx_rows or ():
            by_q: Vector = tuple(row[:n])  # type: ignore[arg-type]
            by_row = {
                self.inequalities[i].number: (self.optimum.multipliers[i], row[n + k])
                for k, i in enumerate(active)
                if self.inequalities[i].kind is RowKind.INEQUALITY
            }

            def outer(multiplier: Fraction, change: Fraction, by_q: Vector = by_q) -> Vector:
                return tuple(multiplier * a - change * b for a, b in zip(by_q, z, strict=True))

            P = tuple(tuple((by_q[i] * z[j] + z[i] * by_q[j]) / 2 for j in range(n)) for i in range(n))
            nothing = (ZERO, ZERO)
            G = tuple(outer(*by_row.get(i, nothing)) for i in range(len(self.program.G)))  # type: ignore[arg-type]
            A = tuple(
                outer(self.optimum.equality_multipliers[r], row[n + len(active) + r])  # type: ignore[arg-type]
                for r in range(len(self.program.b))
            )
            yield MatrixGradients(P, G, A)


def _unit(length: int, place: int, value: int = 1) -> Vector:
    return tuple(Fraction(value * (k == place)) for k in range(length))


def _constraints_on_b(program: QuadraticProgram) -> Constraints | None:
    """Return what dependent equalities say of b: the system b = A·z, solved."""
    if not program.A:
        return None
    system = LinearSystem(
        RationalMatrix.of(program.A), None, None, True, program.equality_names, program.z, "", "", False
    )
    return solve_exact(system).constraints
