"""QuadraticProgram → ProgramSolution: in exact arithmetic the optimum with its proof, then its derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from implicitgrad.model.program.problem import CanonicalProgram, QuadraticProgram, Vector, product, times
from implicitgrad.model.program.solution import Dependency, FarkasCertificate, ProgramSolution, ProgramStatus
from implicitgrad.model.solution import Constraints, Solution
from implicitgrad.model.system import LinearSystem
from implicitgrad.numbers.exact import RationalMatrix
from implicitgrad.numbers.null_space import integers
from implicitgrad.solvers.exact.solver import solve_exact
from implicitgrad.solvers.program.active_set import ZERO, classify, multiplier_ranges, solution_face
from implicitgrad.solvers.program.convexity import refuse_nonconvex
from implicitgrad.solvers.program.derivatives import (
    has_too_many_multipliers,
    joint_derivatives,
    matrix_gradients,
    partial_derivatives,
)
from implicitgrad.solvers.program.kkt import kkt_system, value_of_unknowns
from implicitgrad.solvers.program.one_sided import LocalProgram
from implicitgrad.solvers.program.optimum import Optimum, find_optimum
from implicitgrad.solvers.program.pieces import are_losses_differentiable
from implicitgrad.solvers.program.work import Work
from implicitgrad.text.errors import InputError, Problem

MAX_WITHOUT_GUESS = 24
"""Variables, constraints and multipliers up to which exact pivots are quicker than to guess a basis in doubles."""

FACTOR_OF_OUTPUT = 8
"""By so much do the conversions of a number into text outweigh one update of it."""


def solve_in_any_arithmetic(program: QuadraticProgram) -> ProgramSolution:
    """Solve a convex quadratic program exactly, or in doubles with error bounds where that takes too much work.

    Raise InputError where neither decides.
    """
    try:
        return solve_program(program)
    except InputError as error:
        if program.letters is not None or [problem.code for problem in error.problems] != ["too-large"]:
            raise
        from implicitgrad.solvers.program.doubles import solve_in_doubles

        return solve_in_doubles(program, error)


def solve_program(program: QuadraticProgram) -> ProgramSolution:
    """Solve a convex quadratic program.

    Raise InputError if P is not positive semidefinite, and if the exact solution takes too much work.
    """
    canonical, work = program.canonical(), Work(program.source)
    work.expect_reduction([integers(row)[0] for row in canonical.P], 2 * len(canonical.q))  # a part of K
    refuse_nonconvex(program, canonical.P, work)
    size = len(canonical.q) + len(canonical.d) + len(canonical.b)
    guessed = _proved_guess(program, canonical, work) if size > MAX_WITHOUT_GUESS else None
    found, kkt = guessed or (find_optimum(canonical, work), None)
    if not isinstance(found, Optimum):
        is_infeasible = isinstance(found, FarkasCertificate)
        status = ProgramStatus.INFEASIBLE if is_infeasible else ProgramStatus.UNBOUNDED
        return ProgramSolution(program, tuple(program.inequalities()), status, certificate=found)
    return _OptimumAnalysis(program, canonical, found, kkt, work).solution()


def _proved_guess(
    program: QuadraticProgram, canonical: CanonicalProgram, work: Work
) -> tuple[Optimum, Solution] | None:
    """Solve the KKT conditions of a guessed basis exactly. Return None if the result is not optimal."""
    from implicitgrad.solvers.program.guess import guess_active

    active = guess_active(canonical, work)
    if active is None:
        return None
    kkt = _solve_kkt(program, canonical, active, work)
    values = value_of_unknowns(kkt, canonical, active)
    if values is None:
        return None
    n, k = len(canonical.q), len(active)
    z, given, duals = values[:n], values[n : n + k], values[n + k :]
    multipliers = [ZERO] * len(canonical.d)
    for i, multiplier in zip(active, given, strict=True):
        multipliers[i] = multiplier
    if min(given, default=0) < 0 or min(canonical.slacks(z), default=0) < 0:
        return None
    return Optimum(z, tuple(multipliers), duals), kkt


def _solve_kkt(program: QuadraticProgram, canonical: CanonicalProgram, active: Sequence[int], work: Work) -> Solution:
    """Solve the linear system of some active constraints and all equalities."""
    system = kkt_system(program, canonical, active, range(len(canonical.b)))
    work.spend_on_reduction([integers(row)[0] for row in system.A], 2 * system.unknowns)
    return solve_exact(system)


class _OptimumAnalysis:
    """Derives all that is known of a program from an optimum."""

    def __init__(
        self,
        program: QuadraticProgram,
        canonical: CanonicalProgram,
        optimum: Optimum,
        kkt: Solution | None,
        work: Work,
    ) -> None:
        self.program, self.canonical, self.optimum, self.work = program, canonical, optimum, work
        self.inequalities = program.inequalities()
        self.constraints = constraints_on_b(program)
        tight = [i for i, slack in enumerate(canonical.slacks(optimum.z)) if not slack]
        self.found = classify(canonical, tight, optimum.multipliers, work)
        self._kkt = kkt

    def solution(self) -> ProgramSolution:
        """Return the whole answer."""
        program, optimum, work = self.program, self.optimum, self.work
        face, tight = solution_face(self.canonical, self.found, work)
        if face:
            self.found = self.found._replace(weak=tight)
        found = self.found
        depends = [any(vector[len(found.positive) + r] for vector in found.dependencies) for r in range(len(program.b))]
        gradient = self.canonical.gradient(optimum.z)
        objective = product(gradient, optimum.z) + product(program.q, optimum.z)
        objective = objective / 2 + program.constant
        answer = ProgramSolution(
            program,
            tuple(self.inequalities),
            self._status(face),
            -objective if program.is_maximum else objective,
            optimum.z,
            tuple(None if i in found.exchangeable else value for i, value in enumerate(optimum.multipliers)),
            tuple(
                None if is_free else value for is_free, value in zip(depends, optimum.equality_multipliers, strict=True)
            ),
            multiplier_ranges(self.canonical, found, gradient, optimum.multipliers, work),
            tuple(found.strong),
            tuple(found.exchangeable),
            tuple(found.weak),
            tuple(self._dependencies()),
            tuple(face),
            tuple(not any(times(face, loss.z)) for loss in program.losses),
            self.constraints,
        )
        return answer if face else self._with_derivatives(answer)

    def _with_derivatives(self, answer: ProgramSolution) -> ProgramSolution:
        program, work = self.program, self.work
        if program.has_multiplier_losses and not answer.has_unique_multipliers:
            message = "dL_dlambda and dL_dnu need unique multipliers, and these are not"
            raise InputError([Problem(message, "Leave them out", "not-unique", program.source)])
        kkt = self.kkt()
        bits = RationalMatrix.of(kkt.general.particular).denominator.bit_length()
        n = len(program.q)
        work.spend(FACTOR_OF_OUTPUT * (kkt.system.unknowns**2 + len(program.losses) * n * (n + len(kkt.x))), bits)
        answer = answer._replace(
            is_differentiable_in_q=not self.found.weak, kkt=kkt, remarks=tuple(self._remarks(answer, kkt))
        )
        local = None if answer.is_differentiable else LocalProgram(answer, work)
        if local is None:
            answer = answer._replace(
                are_losses_differentiable=(True,) * len(program.losses),
                derivatives=joint_derivatives(answer),
                matrix_gradients=tuple(matrix_gradients(answer)),
            )
        else:
            answer = answer._replace(
                are_losses_differentiable=tuple(are_losses_differentiable(local)),
                derivatives=partial_derivatives(answer, local),
            )
        if program.letters is None:
            return answer
        from implicitgrad.solvers.program.letters import differentiate_letters

        by_letter, remarks = differentiate_letters(answer, local, work)
        return answer._replace(by_letter=by_letter, remarks=(*answer.remarks, *remarks))

    def kkt(self) -> Solution:
        """Return the solved linear system of the constraints that can have positive multipliers."""
        n, names = len(self.program.q), tuple(self.inequalities[i].name for i in self.found.positive)
        if self._kkt is not None and self._kkt.x[n:] == (*names, *self.program.equality_names):
            return self._kkt
        return _solve_kkt(self.program, self.canonical, self.found.positive, self.work)

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

    def _remarks(self, answer: ProgramSolution, kkt: Solution) -> Iterator[tuple[str, str]]:
        if kkt.general.free:
            names = ", ".join(kkt.general.free)
            yield (
                "kkt-singular",
                f"the KKT matrix is singular: {names} {'is' if len(kkt.general.free) == 1 else 'are'} free in it, "
                "though z is unique",
            )
        if has_too_many_multipliers(answer):
            yield "multipliers-left-out", "the derivatives of the multipliers are left out: they have too many entries"


def constraints_on_b(program: QuadraticProgram) -> Constraints | None:
    """Return what dependent equalities say of b: the system b = A·z, solved."""
    if not program.A:
        return None
    system = LinearSystem(
        RationalMatrix.of(program.A), None, None, True, program.equality_names, program.z, "", "", False
    )
    return solve_exact(system).constraints
