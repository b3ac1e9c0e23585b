"""Inactive constraints treated as equalities, or active ones left out."""

from __future__ import annotations

from collections.abc import Iterator

from implicitgrad.checks.program.diagnosis.trial import Candidate, ProgramTrial
from implicitgrad.model.verdict import Suspicion
from implicitgrad.text.characters import printable


def active_set(trial: ProgramTrial) -> Iterator[Candidate]:
    """Suspect the KKT conditions of another set of active constraints."""
    systems, active = trial.systems, trial.solution.active
    names = [printable(row.name) for row in trial.solution.inequalities]
    for added in systems.with_inactive():
        values = trial.from_response(systems.regular((*active, *added)))
        if values is not None:
            listed, verb = ", ".join(names[i] for i in added), "is" if len(added) == 1 else "are"
            message = f"the claim is {trial.target} with {listed} as an equality: {listed} {verb} inactive"
            yield Candidate(Suspicion("inactive", message), values)
    if trial.sides is not None:
        return
    for kept in systems.subsets_of_active():
        values = trial.from_response(systems.regular(kept))
        if values is not None:
            left_out = [names[i] for i in active if i not in kept]
            listed, verb = ", ".join(left_out), "is" if len(left_out) == 1 else "are"
            message = f"the claim is {trial.target} without {listed}: {listed} {verb} active"
            yield Candidate(Suspicion("active", message), values)
