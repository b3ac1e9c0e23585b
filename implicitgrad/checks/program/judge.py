"""Judge all claims about the answer to one program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property, partial
from typing import TYPE_CHECKING

from implicitgrad.checks.outcomes import ProvedNumber, lost_in_rounding, not_finite, verdict, why_it_proves_nothing
from implicitgrad.checks.program.quantities import MULTIPLIERS, Quantities
from implicitgrad.checks.program.tolerances import Tolerances
from implicitgrad.checks.program.valid_choices import Interval, are_valid_multipliers, is_solution
from implicitgrad.model.program.claims import ClaimedPart, ClaimedQuantity, ProgramClaims
from implicitgrad.model.program.solution import Missing, ProgramSolution, ProgramStatus
from implicitgrad.model.program.spec import PROGRAM_CLAIMS
from implicitgrad.model.requirement import facts_of, unmet
from implicitgrad.model.verdict import Deviation, Outcome, Suspicion, Verdict
from implicitgrad.readers.program.claims import shape_of
from implicitgrad.text.characters import count, printable

if TYPE_CHECKING:
    from implicitgrad.checks.program.diagnosis.adjoint import KktSystems

ZERO = Fraction(0)
BOTH_SIDES = "a one-sided derivative is claimed as {left: ...} or {right: ...}"


def judge_program(solution: ProgramSolution, claims: ProgramClaims) -> Verdict:
    """Judge ``claims`` about ``solution``."""
    outcomes = []
    if claims.status is not None:
        outcomes.append(_judge_status(claims.status, solution))
    if claims.active is not None:
        outcomes.append(_judge_active(claims.active, solution))
    judge = _QuantityJudge(solution, claims)
    outcomes += map(judge.outcome, claims.quantities)
    return verdict(solution, outcomes, claims, PROGRAM_CLAIMS)


def _judge_status(claimed: str, solution: ProgramSolution) -> Outcome:
    if unmet(facts_of(solution), claimed) is None:
        return Outcome("status", True, claimed)
    reason = f"claimed {claimed}, correct is {solution.status}{_because(solution)}"
    return Outcome("status", False, claimed, reason, 1)


def _because(solution: ProgramSolution) -> str:
    """Return the fact that the status comes from."""
    facts = []
    for kind in ("weak", "exchangeable"):
        names = solution.names(getattr(solution, kind))
        if names:
            listed = ", ".join(map(printable, names))
            facts.append(f"{listed} {'is' if len(names) == 1 else 'are'} {kind}{'ly active' * (kind == 'weak')}")
    if solution.status is ProgramStatus.ONE_SIDED:
        return f": {'; '.join(facts)}"
    if solution.face:
        return f": the solutions span {count(len(solution.face), 'direction')}"
    return ""


def _judge_active(claimed: tuple[str, ...], solution: ProgramSolution) -> Outcome:
    correct = solution.names(solution.active)
    shown = ", ".join(map(printable, claimed)) or "none"
    if set(claimed) == set(correct):
        return Outcome("active", True, shown)
    parts = [
        f"{', '.join(map(printable, names))} {'is' if len(names) == 1 else 'are'} {what}"
        for names, what in (
            ([name for name in claimed if name not in correct], "inactive"),
            ([name for name in correct if name not in claimed], "active, too"),
        )
        if names
    ]
    found = ", ".join(map(printable, correct)) or "none"
    return Outcome("active", False, shown, f"claimed {shown}, correct is {found}: {', '.join(parts)}", 1)


class _QuantityJudge:
    """Judges claimed numbers; multipliers that are not unique must go with those that were found valid before."""

    def __init__(self, solution: ProgramSolution, claims: ProgramClaims) -> None:
        self.solution, self.quantities = solution, Quantities(solution)
        self.tolerances = Tolerances(solution, claims)
        self.inequalities: dict[int, Interval] = {}
        self.equalities: dict[int, Interval] = {}

    def outcome(self, quantity: ClaimedQuantity) -> Outcome:
        """Return whether a claim holds."""
        outcome = Outcome(quantity.key, True, quantity.summary())
        if quantity.is_null:
            return self._null(outcome)
        for part in quantity.parts:
            if part.matrix.non_finite:
                return not_finite(outcome, part.matrix)
        judged = [one for part in quantity.parts for one in self._part(quantity.key, part)]
        wrong = [one for one in judged if isinstance(one, Deviation)]
        if wrong:
            failed = _failed(outcome, wrong, sum(len(part.claimed()) for part in quantity.parts))
            return failed._replace(suspicions=self._suspicions(quantity))
        undecided = [one for one in judged if isinstance(one, str)]
        if undecided:
            return outcome.undecided(undecided[0])
        reason = self._invalid_choice(quantity)
        if reason:
            return outcome._replace(holds=False, reason=reason, failing=1, suspicions=self._suspicions(quantity))
        vain = self._why_it_proves_nothing(quantity)
        return outcome.undecided(vain) if vain else outcome

    def _why_it_proves_nothing(self, quantity: ClaimedQuantity) -> str:
        """Return why a claim holds only because what is allowed is as large as the answer, or an entry; "" if not."""
        key, claims = quantity.key, self.tolerances.claims
        for part in quantity.parts:
            matrix = part.matrix
            is_computed = matrix.unit_roundoff is not None and claims.rtol is None
            if is_computed and claims.atol is not None:
                continue
            tolerances = self.tolerances.of(matrix, key) if is_computed else self.tolerances.without_atol(matrix, key)
            known = [
                ((i, j), value, correct, tolerances[i][j])
                for i, j in part.claimed()
                if (value := matrix.entries[i][j]) is not None
                and (correct := self._correct(key, part, (i, j))) is not None
            ]
            if is_computed:
                reason = self._lost_in_rounding(key, part, known)
            else:
                reason = why_it_proves_nothing(known, partial(_name, key, part))
            if reason:
                return reason
        return ""

    def _lost_in_rounding(self, key: str, part: ClaimedPart, known: Sequence[ProvedNumber]) -> str:
        """Return why a number computed in floating point is not decided that is wrong by its own size; "" if none is.

        Its size is beyond the rounding errors at a condition of 1, unlike that of numbers that stand for 0.
        """
        usual = self.tolerances.of(part.matrix, key, condition=Fraction(1))
        for (i, j), value, correct, tolerance in known:
            if abs(value - correct) >= abs(correct) > usual[i][j]:
                deviation = self._deviation(key, part, (i, j), correct, "", tolerance)
                return lost_in_rounding(deviation, self.tolerances.condition)
        return ""

    def _correct(self, key: str, part: ClaimedPart, place: tuple[int, int]) -> Fraction | None:
        entry = self.quantities.entry(key, part.loss, *place)
        side = entry.value if part.side is None else entry.side(part.side)
        return side if isinstance(side, Fraction) else None

    @cached_property
    def systems(self) -> KktSystems:
        """What mistakes are tried with."""
        from implicitgrad.checks.program.diagnosis.adjoint import KktSystems

        return KktSystems(self.solution)

    def _suspicions(self, quantity: ClaimedQuantity) -> tuple[Suspicion, ...]:
        """Return the mistakes that explain a wrong claim."""
        if self.solution.z is None:
            return ()
        from implicitgrad.checks.program.diagnosis.diagnose import diagnose_program

        found = [
            suspicion
            for part in quantity.parts
            for suspicion in diagnose_program(
                self.systems, quantity.key, part, self.tolerances.of(part.matrix, quantity.key)
            )
        ]
        return tuple(dict.fromkeys(found))

    def _null(self, outcome: Outcome) -> Outcome:
        """Judge null in place of a whole quantity: it holds if the quantity is not determined throughout."""
        key, program = outcome.key, self.solution.program
        shape = shape_of(key, program)
        places = [
            (loss, i, j) for loss in range(shape.matrices or 1) for i in range(shape.rows) for j in range(shape.columns)
        ]
        entries = [(place, self.quantities.entry(key, *place)) for place in places]
        if not entries or any(entry.is_null for _, entry in entries):
            return outcome
        place, entry = entries[0]
        assert entry.value is not None
        name = key if len(entries) == 1 else f"{key}[1]" if shape.rows == 1 else f"{key}[1][1]"
        worst = Deviation(name, self.quantities.meaning(key, *place), "null", None, entry.value, ZERO)
        return outcome._replace(holds=False, reason="it is claimed not to be determined", failing=1, worst=worst)

    def _part(self, key: str, part: ClaimedPart) -> Iterator[Deviation | str | None]:
        """Yield for each claimed entry how it is wrong, why it is undecided, or None."""
        tolerances = self.tolerances.of(part.matrix, key)
        for i, j in part.claimed():
            yield self._judged(key, part, (i, j), tolerances[i][j])

    def _judged(
        self, key: str, part: ClaimedPart, place: tuple[int, int], tolerance: Fraction
    ) -> Deviation | str | None:
        i, j = place
        entry = self.quantities.entry(key, part.loss, i, j)
        claimed, correct = part.matrix.entries[i][j], entry.value
        if part.side is not None:
            side = entry.side(part.side)
            if isinstance(side, Missing):
                if claimed is None and part.missing.get(place) in (None, side):
                    return None
                return self._deviation(key, part, place, None, f"{side.replace('-', ' ')} on the {part.side}")
            correct = side
        elif entry.is_null if claimed is None else entry.is_choice:
            return None
        if correct is None:
            return entry.undecided or self._deviation(key, part, place, None, entry.instead)
        if claimed is not None and abs(claimed - correct) <= tolerance:
            return None
        return self._deviation(key, part, place, correct, "", tolerance)

    def _deviation(
        self,
        key: str,
        part: ClaimedPart,
        place: tuple[int, int],
        correct: Fraction | None,
        instead: str,
        tolerance: Fraction = ZERO,
    ) -> Deviation:
        i, j = place
        meaning = self.quantities.meaning(key, part.loss, i, j) + (f" from the {part.side}" if part.side else "")
        text = str(part.missing.get(place, part.matrix.texts[i][j]))
        return Deviation(_name(key, part, i, j), meaning, text, part.matrix.entries[i][j], correct, tolerance, instead)

    def _invalid_choice(self, quantity: ClaimedQuantity) -> str:
        """Return why numbers of which there are several valid ones are not valid together; "" if they are."""
        key = quantity.key
        chosen = {
            j: (value - tolerance, value + tolerance)
            for part in quantity.parts
            for row, tolerances in zip(part.matrix.entries, self.tolerances.of(part.matrix, key), strict=True)
            for j, (value, tolerance) in enumerate(zip(row, tolerances, strict=True))
            if value is not None
        }
        if key == "z" and self.solution.face:
            return "" if is_solution(self.solution, chosen) else "it is not among the solutions, which are many"
        if self.solution.z is None or not (key == "nu" or key in MULTIPLIERS):
            return ""
        if self.solution.has_unique_multipliers:
            return ""
        inequalities, equalities = dict(self.inequalities), dict(self.equalities)
        if key == "nu":
            equalities |= chosen
        else:
            rows, kind = self.quantities.rows, MULTIPLIERS[key]
            inequalities |= {rows[kind, j]: interval for j, interval in chosen.items() if (kind, j) in rows}
        if not are_valid_multipliers(self.solution, inequalities, equalities):
            together = " that go with the others claimed" if self.inequalities or self.equalities else ""
            return f"these are no valid multipliers{together}{self._what_they_satisfy()}"
        self.inequalities, self.equalities = inequalities, equalities
        return ""

    def _what_they_satisfy(self) -> str:
        """Return the ranges of the multipliers that are not unique."""
        shown = [
            f"{printable(self.solution.inequalities[i].name)} {self.quantities.entry(*self._key_of(i)).instead}"
            for i in self.solution.exchangeable
        ]
        return f": {', '.join(shown)}, not all at will" if shown else ""

    def _key_of(self, i: int) -> tuple[str, int, int, int]:
        row = self.solution.inequalities[i]
        key = next(key for key, kind in MULTIPLIERS.items() if kind is row.kind)
        return key, 0, 0, row.number


def _name(key: str, part: ClaimedPart, i: int, j: int) -> str:
    return key if key == "objective" else part.matrix.name(i, j)


def _failed(outcome: Outcome, wrong: Sequence[Deviation], total: int) -> Outcome:
    """Return the outcome of a claim with wrong numbers; one that cannot be right whatever its number comes first."""
    reason = f"{len(wrong)} of {count(total, 'entry')}"
    if any(one.correct is None and " and " in one.instead for one in wrong):  # both sides are known
        reason += f"; {BOTH_SIDES}"
    return outcome.failed(wrong, reason)
