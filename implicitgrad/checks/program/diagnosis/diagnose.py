"""Try mistakes on a wrong claim about a program, in order, and describe those that explain it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from implicitgrad.checks.program.diagnosis.adjoint import KktSystems
from implicitgrad.checks.program.diagnosis.formula import multiplier, quadratic, unsolved
from implicitgrad.checks.program.diagnosis.kink import between, one_side, other_side
from implicitgrad.checks.program.diagnosis.kkt_conditions import active_set, least_norm, one_choice
from implicitgrad.checks.program.diagnosis.multiples import factor, negative, some_signs, zero
from implicitgrad.checks.program.diagnosis.other import other_loss, rounding, transposed
from implicitgrad.checks.program.diagnosis.other_program import half, ridge
from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial
from implicitgrad.model.program.claims import ClaimedPart
from implicitgrad.model.system import Matrix
from implicitgrad.model.verdict import Suspicion

MISTAKES: tuple[Callable[[ProgramTrial], Iterator[Candidate]], ...] = (
    one_side, negative, other_loss, quadratic, multiplier, factor, transposed, unsolved, some_signs, least_norm,
    one_choice, active_set, half, ridge, between,
)  # fmt: skip
"""Each yields the candidates of one kind of mistake."""
IN_LETTERS = (one_side, negative, other_loss, transposed, factor, some_signs, between)
"""Those that need no KKT conditions, for derivatives in letters."""
OF_MANY_SOLUTIONS = (least_norm, ridge)
"""Those that choose one of many solutions."""
MAX_SIZE = 40
"""The most unknowns and constraints of a program that mistakes are tried on; beyond it trials take too long."""


def diagnose_program(systems: KktSystems, key: str, part: ClaimedPart, tolerances: Matrix) -> tuple[Suspicion, ...]:
    """Return the mistakes that explain wrong numbers, mostly one or none."""
    solution, program = systems.solution, systems.program
    size = program.unknowns + len(solution.inequalities) + len(program.b)
    if size > MAX_SIZE:
        return ()
    quantities, entries = systems.quantities, part.matrix.entries
    known = [[quantities.entry(key, part.loss, i, j) for j in range(len(row))] for i, row in enumerate(entries)]
    claimed = [
        [None if (i, j) in part.unclaimed else value for j, value in enumerate(row)] for i, row in enumerate(entries)
    ]
    if key.startswith("dL_d") and key[-1] not in "PGA":
        trials = [
            ProgramTrial(systems, key, k, claimed[k : k + 1], tolerances[k : k + 1], known[k : k + 1])
            for k in range(len(entries))
        ]
    else:
        trials = [ProgramTrial(systems, key, part.loss, claimed, tolerances, known)]
    if part.side is not None:
        return tuple(filter(None, [other_side(trial, part.side) for trial in trials]))
    wrong = [trial for trial in trials if trial.is_wrong]
    found = [suspicion for trial in wrong if (suspicion := _first(trial)) is not None]
    return tuple(dict.fromkeys(found)) if len(found) == len(wrong) or len(trials) > 1 else ()


def _first(trial: ProgramTrial) -> Suspicion | None:
    if (cut_off := zero(trial)) is not None:
        return cut_off
    mistakes = MISTAKES if trial.solution.is_unique else OF_MANY_SOLUTIONS
    if trial.parameter == "x":
        mistakes = IN_LETTERS
    candidates = (candidate for mistake in mistakes for candidate in mistake(trial))
    found = next((one for one in candidates if trial.is_explained_by(one.values)), None)
    return rounding(trial) if found is None else Suspicion(found.code, found.message)
