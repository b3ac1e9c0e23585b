"""Claims that are no matrices of the answer: verdict, rank, free parameters, uniqueness, constraints, condition."""

from __future__ import annotations

from fractions import Fraction

from implicitgrad.checks.context import Setting, product
from implicitgrad.checks.jacobian import fails
from implicitgrad.model.claims import ClaimedConstraints, Number
from implicitgrad.model.solution import Status
from implicitgrad.model.system import Matrix
from implicitgrad.model.verdict import Deviation, Outcome
from implicitgrad.numbers.exact import RationalMatrix, Row
from implicitgrad.numbers.formatting import show_number
from implicitgrad.numbers.row_reduction import inverse
from implicitgrad.text.characters import count, printable
from implicitgrad.text.number_grammar import float_square_root

DIGITS_OF_CONDITION = 9


def judge_status(claimed: Status, setting: Setting) -> Outcome:
    """Whether the verdict is the one claimed."""
    solution = setting.solution
    because = f"rank {solution.rank} of {count(setting.system.unknowns, 'unknown')}"
    if solution.constraints is not None:
        because += f", {count(len(solution.constraints.dependent), 'constraint')} on x"
    reason = f"claimed {claimed}, correct is {solution.status}: {because}"
    return _judged("status", claimed == solution.status, str(claimed), reason)


def judge_rank(claimed: Number, setting: Setting) -> Outcome:
    """Whether the rank is the one claimed."""
    return _counted("rank", claimed, setting.solution.rank)


def judge_uniqueness(claimed: bool, setting: Setting) -> Outcome:
    """Whether ∂L/∂x, of every loss, is unique or is not."""
    unique = setting.solution.unique_losses
    found = all(unique)
    reason = f"claimed {str(claimed).lower()}, correct is {str(found).lower()}"
    if not found:
        losses = ", ".join(f"L{k + 1}" for k, is_unique in enumerate(unique) if not is_unique)
        where = "" if len(unique) == 1 else f" of {losses}"
        reason += f": ∂L/∂y{where} is not in the row space of A"
    elif setting.free:
        reason += ": ∂L/∂y is in the row space of A"
    return _judged("dL_dx_unique", claimed == found, str(claimed).lower(), reason)


def judge_condition(most: Number, setting: Setting) -> Outcome:
    """Whether the condition number is at most the one claimed."""
    squared = setting.solution.condition_squared
    claimed = f"at most {most.text}"
    if squared is None:
        return _judged("condition", False, claimed, f"claimed {claimed}, found none: A = 0 has no condition")
    root = float_square_root(*squared.as_integer_ratio())
    found = "more than 1e308" if root is None else show_number(Fraction(root), DIGITS_OF_CONDITION)
    holds = most.value >= 0 and squared <= most.value**2
    return _judged("condition", holds, claimed, f"claimed {claimed}, found {found}")


def judge_free_parameters(claimed: Number | tuple[str, ...], setting: Setting) -> Outcome:
    """Whether there are so many; or whether those named determine all of ∂y/∂x and may be chosen at will."""
    total = len(setting.free) * len(setting.x)
    if isinstance(claimed, Number):
        return _counted("free_parameters", claimed, total)
    shown = ", ".join(map(printable, claimed)) or "none"
    if len(claimed) != total:
        names = ", ".join(map(printable, setting.solution.free_parameters)) or "none"
        reason = f"claimed {count(len(claimed), 'parameter')}, correct is {total}: {names}"
    else:
        reason = _impossible(claimed, setting)
    return _judged("free_parameters", not reason, shown, reason)


def _impossible(claimed: tuple[str, ...], setting: Setting) -> str:
    """Why the parameters named, which are as many as there are, cannot be chosen at will together."""
    system, F = setting.system, len(setting.free)
    entries = {f"d{y}/d{x}": (i, k) for i, y in enumerate(system.y) for k, x in enumerate(system.x)}
    chosen: dict[int, list[int]] = {}
    for name in claimed:
        i, k = entries[name]
        chosen.setdefault(k, []).append(i)
    T = setting.T()
    if claimed and (len(chosen) != len(setting.x) or not _is_invertible([T[k] for k in chosen])):
        inputs = ", ".join(printable(system.x[k]) for k in chosen)
        return f"the inputs {inputs} cannot vary independently; correct is {', '.join(setting.x)} or a like choice"
    V = setting.solution.general.null_space
    for k, rows in chosen.items():
        if len(rows) != F or not _is_invertible([V[i] for i in rows]):
            names = ", ".join(f"d{system.y[i]}/d{system.x[k]}" for i in rows)
            correct = ", ".join(f"d{y}/d{system.x[k]}" for y in setting.solution.general.free)
            return f"{printable(names)} cannot be chosen at will; correct is {printable(correct)} or a like choice"
    return ""


def judge_constraints(claimed: ClaimedConstraints, setting: Setting) -> Outcome:
    """Whether the equations claimed allow exactly the x that the system allows."""
    found = setting.solution.constraints
    D = 0 if found is None else len(found.dependent)
    size = count(len(claimed.dependent), "constraint") if claimed.dependent else "none"
    outcome = _judged("constraints", True, size, "")
    if len(claimed.dependent) != D:
        return outcome._replace(holds=False, reason=f"claimed {size}, correct is {D or 'none'}")
    if claimed.matrix is None:
        return outcome
    system = setting.system
    dependent = [system.x.index(name) for name in claimed.dependent]
    others = [k for k in range(system.inputs) if k not in dependent]
    T = setting.T()
    inverse = _inverse([T[k] for k in others])
    if inverse is None:
        assert found is not None
        names = ", ".join(map(printable, claimed.dependent))
        follow = ", ".join(map(printable, found.dependent))
        reason = f"{names} do not follow from the other inputs; correct is {follow} or a like choice"
        return outcome._replace(holds=False, reason=reason)
    matrix = product(tuple([T[k] for k in dependent]), inverse)
    tolerances = setting.tolerances(claimed.matrix._replace(unit_roundoff=None))
    unit_roundoff = claimed.matrix.unit_roundoff or Fraction(0)
    deviations = []
    for i, row in enumerate(matrix):
        for j, correct in enumerate(row):
            value = claimed.matrix.entries[i][j]
            allowed = tolerances[i][j] + unit_roundoff * abs(correct)  # what was computed is rounded at least
            if value is None or abs(value - correct) > allowed:
                meaning = f"{printable(claimed.dependent[i])} by {printable(system.x[others[j]])}"
                text = claimed.matrix.texts[i][j]
                name = claimed.matrix.name(i, j)
                deviations.append(Deviation(name, meaning, text, value, correct, allowed))
    if deviations:
        total = count(len(matrix) * len(others), "entry")
        return fails(outcome._replace(holds=False), deviations, f"{len(deviations)} of {total}")
    return outcome


def _judged(key: str, holds: bool, claimed: str, reason: str) -> Outcome:
    return Outcome(key, holds, claimed, "" if holds else reason, 0 if holds else 1)


def _counted(key: str, claimed: Number, found: int) -> Outcome:
    return _judged(key, claimed.value == found, claimed.text, f"claimed {claimed.text}, correct is {found}")


def _is_invertible(rows: list[Row]) -> bool:
    return _inverse(rows) is not None


def _inverse(rows: list[Row]) -> Matrix | None:
    """The inverse of a square matrix, if there is one."""
    n = len(rows)
    if any(len(row) != n for row in rows):
        return None
    matrix = RationalMatrix.of(rows)
    found = inverse(matrix.numerators)
    if found is None:
        return None
    numerators, d = found
    return RationalMatrix([[matrix.denominator * number for number in row] for row in numerators], d)
