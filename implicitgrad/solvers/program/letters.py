"""Derivatives of z and of the losses with respect to the letters of a program.

Where z is differentiable in P, q, G, h, A and b jointly, the chain rule holds. To first order a change of P, G or A is
one of q, h and b:

    dq + dP·z + dGᵀλ + dAᵀν,    dh − dG·z,    db − dA·z

With linearly independent active constraints and ker P ∩ ker A ∩ ker G_{I₊} = {0} z is Lipschitz (strong regularity),
and its one-sided derivatives are those along that change (Robinson, *Strongly regular generalized equations*, 1980;
Dontchev and Rockafellar, *Implicit Functions and Solution Mappings*, section 2E). Without, they are where the
constraints stay and none is weak, or where P, G and A stay and the letter is affine in q, h and b. What else there is
is not decided: z may jump, as that of min z1² + z2², z1 + z2 = 1, c·z1 + z2 = 1 does at c = 1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property

from implicitgrad.model.program.letters import Letter, Sensitivities
from implicitgrad.model.program.problem import Vector, product, times
from implicitgrad.model.program.solution import Derivatives, Missing, Parameter, ProgramSolution, Sides, Slope
from implicitgrad.solvers.program.active_set import ZERO
from implicitgrad.solvers.program.convexity import negative_curvature
from implicitgrad.solvers.program.one_sided import Change, LocalProgram, independent_equalities
from implicitgrad.solvers.program.work import Work, null_space
from implicitgrad.text.characters import format_fraction

Remark = tuple[str, str]


def differentiate_letters(
    answer: ProgramSolution, local: LocalProgram | None, work: Work
) -> tuple[Derivatives, list[Remark]]:
    """Return the derivatives in the letters, and warnings, of a program with a unique solution.

    local : the program around it; None if it is differentiable.
    """
    letters = answer.program.letters or ()
    analysis = _LetterAnalysis(answer, local, work)
    columns = [analysis.sides(letter) for letter in letters]
    parameters = tuple(Parameter("x", k, letter.name) for k, letter in enumerate(letters))
    shape = answer.program.unknowns, len(answer.program.losses)
    return Derivatives.from_sides(parameters, columns, shape), analysis.remarks


class _LetterAnalysis:
    """Finds the derivatives of one program."""

    def __init__(self, answer: ProgramSolution, local: LocalProgram | None, work: Work) -> None:
        assert answer.z is not None
        self.answer, self.program, self.z = answer, answer.program, answer.z
        self.local, self.work = local, work
        self.equalities = independent_equalities(answer)
        self.remarks: list[Remark] = []
        p = len(self.program.b)
        self.dependencies = null_space(zip(*self.program.A, strict=True), p, work) if len(self.equalities) < p else []
        """A basis of the β with βᵀA = 0."""

    def sides(self, letter: Letter) -> Sides | None:
        """Return both one-sided derivatives; None if they are not decided, after a remark that says why."""
        letter = _near(letter, self.answer.active)
        sides = self._sides(letter)
        if sides is not None:
            self.remarks += self._remarks_on_convexity(letter)
        return sides

    def _sides(self, letter: Letter) -> Sides | None:
        local = self.local
        if local is None:
            slope = self._chain_rule(letter)
            return Sides(slope, slope)
        changed = {r for r, _ in letter.A} | letter.b.keys()
        depends = any(vector[r] for vector in self.dependencies for r in changed)
        if local.stays_unique and not depends:
            return local.sides(self._change(letter))
        has_constraints = letter.G or letter.h or letter.A or letter.b
        has_matrices = letter.P or letter.G or letter.A
        is_affine = all(rate.is_affine for part in (letter.q, letter.h, letter.b) for rate in part.values())
        if (has_constraints or self.answer.weak) and (has_matrices or not is_affine):
            self.remarks.append(("not-decided", self._why_undecided(letter, local, depends=depends)))
            return None
        rates = [letter.b[r].slope if r in letter.b else ZERO for r in range(len(self.program.b))]
        if any(product(vector, rates) for vector in self.dependencies):
            return Sides(Missing.INFEASIBLE, Missing.INFEASIBLE)
        return local.sides(self._change(letter))

    def _linear_changes(self, letter: Letter) -> tuple[Vector, Vector, Vector]:
        """Return the changes of q, h and b that stand for those of everything, to first order."""
        n, m, p = len(self.program.q), len(self.program.h), len(self.program.b)
        q, h, b = [ZERO] * n, [ZERO] * m, [ZERO] * p
        for total, part in ((q, letter.q), (h, letter.h), (b, letter.b)):
            for i, rate in part.items():
                total[i] += rate.slope
        for (i, j), rate in letter.P.items():
            q[i] += rate.slope * self.z[j]
        for rates, bounds, multipliers in (
            (letter.G, h, self.answer.multipliers),
            (letter.A, b, self.answer.equality_multipliers),
        ):
            for (i, j), rate in rates.items():
                multiplier = multipliers[i]
                assert multiplier is not None
                q[j] += rate.slope * multiplier
                bounds[i] -= rate.slope * self.z[j]
        return tuple(q), tuple(h), tuple(b)

    def _change(self, letter: Letter) -> Change:
        q, h, b = self._linear_changes(letter)
        return Change(q, tuple(h[i] for i in self.answer.active), tuple(b[r] for r in self.equalities))

    def _chain_rule(self, letter: Letter) -> Slope:
        found = self.answer.derivatives
        assert found is not None
        changes = [entry for part in self._linear_changes(letter) for entry in part]
        return Slope(times(found.z, changes), times(found.losses, changes))  # type: ignore[arg-type]

    def _why_undecided(self, letter: Letter, local: LocalProgram, *, depends: bool) -> str:
        name = letter.name
        if depends:
            cause = "equalities that it enters are linearly dependent"
        elif not local.has_licq:
            cause = "the active constraints are linearly dependent"
        else:
            cause = f"z is unique only by what is weakly active, {', '.join(self.answer.names(self.answer.weak))}"
        places = {"the quadratic terms": letter.P, "coefficients of inequalities": letter.G}
        places |= {"coefficients of equalities": letter.A}
        where = [place for place, rates in places.items() if rates]
        if not where:
            return f"∂z/∂{name} is not decided: {cause}, and {name} does not enter affinely"
        return f"∂z/∂{name} is not decided: {cause}, and {name} enters {' and '.join(where)}"

    @cached_property
    def kernel(self) -> list[Vector]:
        """A basis of the null space of P."""
        return null_space(self.program.hessian(), len(self.program.q), self.work)

    def _remarks_on_convexity(self, letter: Letter) -> Iterator[Remark]:
        """Yield a remark for each side on which P is indefinite.

        With P·v = 0 that is where vᵀ(dP)v is negative. If vᵀ(dP) = 0 on the kernel of P and (dP)v ≠ 0, then P + ε·dP is
        negative at v − ε·P⁺(dP)v, to the order of ε², from both sides.
        """
        if not letter.P:
            return
        n, kernel = len(self.program.q), self.kernel
        images = [_image(letter.P, v) for v in kernel]
        form = [tuple(product(u, image) for image in images) for u in kernel]
        is_affine = all(one.is_affine for one in letter.P.values())
        is_indefinite = is_affine and any(
            any(sum((a * image[i] for a, image in zip(combination, images, strict=True)), ZERO) for i in range(n))
            for combination in null_space(form, len(kernel), self.work)
        )
        what = ("concave", "maximum") if self.program.is_maximum else ("convex", "minimum")
        for sign, side in ((1, ">"), (-1, "<")):
            curved = tuple(tuple(sign * entry for entry in row) for row in form)
            if is_indefinite or negative_curvature(curved, self.work) is not None:
                place = f"{letter.name} {side} {format_fraction(letter.value)}"
                yield (
                    "not-convex-nearby",
                    f"the objective is not {what[0]} for {place}, however close: from there the derivative is that of "
                    f"a local {what[1]}",
                )


def _near(letter: Letter, active: Collection[int]) -> Letter:
    """Return a letter without the inactive inequalities, which have no part in z nearby."""
    return letter._replace(
        G={place: rate for place, rate in letter.G.items() if place[0] in active},
        h={i: rate for i, rate in letter.h.items() if i in active},
    )


def _image(P: Sensitivities, v: Vector) -> Vector:
    """Return (dP)v."""
    found = [ZERO] * len(v)
    for (i, j), one in P.items():
        found[i] += one.slope * v[j]
    return tuple(found)
