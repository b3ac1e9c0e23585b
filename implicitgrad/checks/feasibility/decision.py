"""Decision: a three-valued answer."""

from __future__ import annotations

from enum import Enum


class Decision(Enum):
    """The answer to a question that a method may be unable to settle."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"

    @classmethod
    def of(cls, is_so: bool) -> Decision:
        """Return YES or NO."""
        return cls.YES if is_so else cls.NO
