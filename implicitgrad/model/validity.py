"""Validity: the conditions under which an answer with letters holds, and the cases in which it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.model.system import Status

if TYPE_CHECKING:
    from implicitgrad.symbolic.function_field.element import Symbolic


class SpecialCase(NamedTuple):
    """A system with letters in the special case that some expressions are 0."""

    zeros: tuple[Symbolic, ...]
    """The expressions that are all 0."""
    rank: int | None
    """The rank of A; None if unknown."""
    status: Status | None
    free: tuple[str, ...]
    """The unknowns that are free in this case, if known."""


class Validity(NamedTuple):
    """The conditions under which an answer with letters holds."""

    nonzero: tuple[Symbolic, ...]
    """None of these may be 0."""
    cases: tuple[SpecialCase, ...]
    """The special cases in which some are 0."""
    has_all_cases: bool = True
    """Whether the cases are all those of lower rank."""
