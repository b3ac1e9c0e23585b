"""StackVerdict: whether what is claimed of all systems of a stack holds, and in which it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from implicitgrad.model.stack import Index, label
from implicitgrad.model.verdict import Outcome, Verdict
from implicitgrad.text.characters import count

MAX_LISTED = 20
"""The most systems that a message names."""


@dataclass(frozen=True, slots=True, repr=False)
class StackVerdict:
    """The claims about the systems of a stack; true exactly if all hold in every system.

    >>> import numpy as np
    >>> from implicitgrad import check
    >>> A = np.array([[[2.0, 0.0], [0.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]])
    >>> verdict = check(A, [1, 1], dL_dx=np.array([[0.5, 0.25], [0.5, -0.5]]))
    >>> verdict.failing
    (1,)
    >>> print(verdict)
    1 of 2 systems fails; it is 1
    dL_dx fails: 2 of 2 entries
    worst dL_dx[1] (∂L/∂x1): claimed 0.5, correct is -0.5, difference 1, allowed ≈1.43e-14
    the claim is the negative of ∂L/∂x: is a sign flipped?
    """

    systems: int
    """The number of systems."""
    claims: tuple[str, ...]
    """The keys of the claims."""
    failures: Mapping[int | Index, tuple[Outcome, ...]]
    """The claims that fail or are undecided, by the system's index; a number if the stack has one leading axis."""
    fixing_nothing: tuple[int | Index, ...] = ()
    """The indices of the systems of which a claim holds that no answer could fail."""
    worst: tuple[int | Index, Verdict] | None = None
    """The index of the system whose number differs most from its claim, and the verdict on it; None if all hold."""

    @property
    def holds(self) -> bool:
        """Return whether every claim holds in every system."""
        return not self.failures

    @property
    def failing(self) -> tuple[int | Index, ...]:
        """Return the indices of the systems in which a claim does not hold."""
        return tuple(self.failures)

    def __bool__(self) -> bool:
        return self.holds

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def __str__(self) -> str:
        if self.worst is None:
            text = f"{', '.join(self.claims)}: all hold in {count(self.systems, 'system')}"
            if self.fixing_nothing:
                text += f"\nbut fix nothing in {_listed(self.fixing_nothing)}, of which any answer would hold"
            return text
        undecided = sum(all(outcome.is_undecided for outcome in outcomes) for outcomes in self.failures.values())
        numbers = {"fail": len(self.failures) - undecided, "undecided": undecided}
        parts = []
        if numbers["fail"]:
            verb = "fails" if numbers["fail"] == 1 else "fail"
            parts.append(f"{numbers['fail']} of {count(self.systems, 'system')} {verb}")
        if undecided:
            of_all = "" if parts else f" of {count(self.systems, 'system')}"
            parts.append(f"{undecided}{of_all} {'is' if undecided == 1 else 'are'} undecided")
        index, verdict = self.worst
        first = f"{', '.join(parts)}; {'worst' if len(self.failures) > 1 else 'it'} is {_shown(index)}"
        lines = [first]
        if len(self.failures) > 1:
            lines.append(f"they are {_listed(self.failing)}; in {_shown(index)}:")
        return "\n".join([*lines, str(verdict)])


def _listed(indices: Sequence[int | Index]) -> str:
    rest = len(indices) - MAX_LISTED
    return ", ".join(map(_shown, indices[:MAX_LISTED])) + (f" and {rest} more" if rest > 0 else "")


def _shown(index: int | Index) -> str:
    return str(index) if isinstance(index, int) else label(index)
