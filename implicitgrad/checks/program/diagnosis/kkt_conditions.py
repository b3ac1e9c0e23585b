"""The answer to other KKT conditions: another active set, one choice of several, the least norm of a singular K."""

from __future__ import annotations

from collections.abc import Iterator

from implicitgrad.checks.program.diagnosis.kink import NONE_THERE
from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial
from implicitgrad.text.characters import printable


def active_set(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect inactive constraints treated as equalities, or active ones left out."""
    systems, active = trial.systems, trial.solution.active
    names = [printable(row.name) for row in trial.solution.inequalities]
    for added in systems.with_inactive():
        values = trial.from_response(systems.regular((*active, *added)))
        if values is not None:
            listed, verb = ", ".join(names[i] for i in added), "is" if len(added) == 1 else "are"
            message = f"the claim is {trial.target} with {listed} as an equality: {listed} {verb} inactive"
            yield Candidate("inactive", message, values)
    if trial.sides is not None:
        return
    for kept in systems.subsets_of_active():
        values = trial.from_response(systems.regular(kept))
        if values is not None:
            left_out = [names[i] for i in active if i not in kept]
            listed, verb = ", ".join(left_out), "is" if len(left_out) == 1 else "are"
            message = f"the claim is {trial.target} without {listed}: {listed} {verb} active"
            yield Candidate("active", message, values)


def one_choice(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the derivative with some of the active constraints as equations and without the others."""
    if trial.sides is None:
        return
    names = [printable(row.name) for row in trial.solution.inequalities]
    active = trial.solution.active
    for chosen in (active, *trial.systems.subsets_of_active()):
        values = trial.from_response(trial.systems.regular(chosen))
        if values is not None:
            kept = ", ".join(names[i] for i in chosen) or "no constraint"
            left_out = ", ".join(names[i] for i in active if i not in chosen)
            what = f"with {kept} active" + (f" and without {left_out}" if left_out else "")
            message = f"the claim is {trial.target} {what}, one choice of several: {NONE_THERE}"
            yield Candidate("choice", message, values)


def least_norm(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the minimum-norm solution K⁺·g of the KKT conditions with all active or all positive constraints."""
    if not trial.parameter:
        return
    solution = trial.solution
    for active in dict.fromkeys((solution.active, tuple(sorted((*solution.strong, *solution.exchangeable))))):
        if trial.systems.regular(active) is None:
            values = trial.from_response(trial.systems.least_norm(active))
            assert values is not None
            message = (
                f"the claim is the minimum-norm choice K⁺·g for {trial.target}: the KKT matrix K is singular, and "
                "this is one choice of many"
            )
            yield Candidate("minimum-norm", message, values)
