"""A wrong formula: a factor, a solution with A or a transpose left out, the explicit direction, another loss."""

from __future__ import annotations

from collections.abc import Iterator

from implicitgrad.checks.diagnosis.suspicions import SIGNS, of_another_loss
from implicitgrad.checks.diagnosis.trial import Hypothesis, JacobianTrial, LossTrial, Trial
from implicitgrad.checks.matrices import complete, inverse, product, times, transpose
from implicitgrad.model.solution import Solution
from implicitgrad.model.system import Matrix
from implicitgrad.model.verdict import Suspicion
from implicitgrad.numbers.exact import Row
from implicitgrad.text.characters import printable

MAX_INVERTED = 64
"""Beyond this size an exact inverse takes too long."""
EXPLICIT = "was the explicit direction taken for the implicit one?"
FORGOTTEN = "was the transpose forgotten?"


def other_loss(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect the gradient of another loss, of this system or of a related one."""
    if not isinstance(trial, LossTrial):
        return
    solution = trial.context.solution
    for other in range(len(trial.context.system.dL_dy or ())):
        row = _unique_gradient(solution, other)
        if row is None and trial.claim.jacobian is not None:
            yielded = complete((trial.wanted[other],))
            row = None if yielded is None else yielded[0]
        if other != trial.loss and row is not None and trial.equals((row,)):
            yield Hypothesis(of_another_loss(f"∂L{other + 1}/∂x"))
    for related in trial.related:
        losses = len(related.system.dL_dy or ())
        for other in range(losses):
            row = _unique_gradient(related, other)
            if row is not None and trial.equals((row,)):
                L = "L" if losses == 1 else f"L{other + 1}"
                name = f"∂{L}/∂x of {printable(related.system.source)} ({printable(related.system.name)})"
                yield Hypothesis(of_another_loss(name))


def formula(trial: Trial) -> Iterator[Hypothesis]:
    """Suspect one of the usual wrong formulas, or its negative."""
    if trial.context.solution.constraints is not None:
        return
    if isinstance(trial, JacobianTrial):
        for code, name, doubt, J in _wrong_jacobians(trial):
            if trial.equals(J):
                yield Hypothesis(Suspicion(code, f"the claim equals {name}: {doubt}"))
    elif isinstance(trial, LossTrial):
        candidates = list(_wrong_gradients(trial))
        for sign, mark, also in SIGNS:
            for code, name, doubt, row in candidates:
                if trial.equals((tuple([sign * value for value in row]),)):
                    yield Hypothesis(Suspicion(code, f"the claim equals {mark}{name}: {doubt}{also}"))


def _unique_gradient(solution: Solution, loss: int) -> Row | None:
    """Return ∂L/∂x with respect to the independent inputs, if no free parameter changes it."""
    rows = complete(solution.general.dL_dx_particular or ())
    return rows[loss] if rows and solution.unique_losses[loss] else None


def _wrong_jacobians(trial: JacobianTrial) -> Iterator[tuple[str, str, str, Matrix]]:
    """Yield the code, formula, question and value of what ∂y/∂x is mistaken for."""
    A, B = trial.context.system.A, trial.context.system.B
    is_square = len(A) == len(A[0])
    if B is not None and trial.context.solution.rank == len(A) == len(A[0]):
        A_inverse = inverse(A)
        yield "unsolved", "A⁻¹", "was the product with B left out?", A_inverse
        yield "transpose", "(Aᵀ)⁻¹·B", "is a transpose too many?", product(transpose(A_inverse), B)
        if len(B) == len(B[0]):
            yield "permuted", "B·A⁻¹", "are the factors exchanged?", product(B, A_inverse)
    candidates = [("explicit", "A", EXPLICIT, A), ("explicit", "Aᵀ", EXPLICIT, transpose(A))]
    if B is not None:
        candidates = [("explicit", "A·B", EXPLICIT, product(A, B))] if is_square else []
        candidates.append(("unsolved", "B", "was the solution with A left out?", B))
    for sign, mark, also in SIGNS:
        for code, name, doubt, J in candidates:
            yield code, mark + name, doubt + also, tuple([tuple([sign * value for value in row]) for row in J])


def _wrong_gradients(trial: LossTrial) -> Iterator[tuple[str, str, str, Row]]:
    """Yield the code, formula, question and value of what ∂L/∂x is mistaken for: products of A, B, ∂y/∂x and ∂L/∂y."""
    context, jacobian = trial.context, trial.claim.jacobian
    A, B, g = context.system.A, context.system.B, (context.system.dL_dy or ())[trial.loss]
    is_square = len(A) == len(A[0])
    J = complete(context.solution.dy_dx) or (complete(jacobian.values) if jacobian is not None else None)
    if B is None:
        if is_square and J is not None:
            name = "A⁻¹" if context.solution.rank == len(A) else "∂y/∂x"
            yield "transpose", f"{name}·∂L/∂y", FORGOTTEN, times(J, g)
        if is_square:
            yield "explicit", "Aᵀ·∂L/∂y", EXPLICIT, times(transpose(A), g)
            yield "unsolved", "∂L/∂y", "was the solution with Aᵀ left out?", g
        yield "explicit", "A·∂L/∂y", EXPLICIT, times(A, g)
        return
    if J is not None and len(J) == len(J[0]):
        yield "transpose", "∂y/∂x·∂L/∂y", FORGOTTEN, times(J, g)
    if is_square:
        Bt = transpose(B)
        if context.solution.rank == len(A) <= MAX_INVERTED:
            A_inverse = inverse(A)
            adjoint = times(transpose(A_inverse), g)
            yield "unsolved", "(Aᵀ)⁻¹·∂L/∂y", "was the product with Bᵀ left out?", adjoint
            if len(B) == len(B[0]):
                yield "transpose", "B·(Aᵀ)⁻¹·∂L/∂y", FORGOTTEN, times(B, adjoint)
            yield "transpose", "Bᵀ·A⁻¹·∂L/∂y", FORGOTTEN, times(Bt, times(A_inverse, g))
        yield "explicit", "Bᵀ·Aᵀ·∂L/∂y", EXPLICIT, times(Bt, times(transpose(A), g))
        yield "explicit", "Bᵀ·A·∂L/∂y", EXPLICIT, times(Bt, times(A, g))
        yield "unsolved", "Bᵀ·∂L/∂y", "was the solution with Aᵀ left out?", times(Bt, g)
