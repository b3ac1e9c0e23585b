"""Find out from the pattern alone whether a sparse A can be invertible, and if it cannot, why.

A maximum matching of equations with unknowns has as many pairs as the rank can have. From an equation without a
partner, alternating paths reach equations that have together fewer unknowns than there are of them, and likewise from
an unknown (the coarse decomposition of Dulmage and Mendelsohn 1958; Pothen and Fan 1990).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, maximum_bipartite_matching

from implicitgrad.numbers.ball import Array
from implicitgrad.text.characters import count, printable
from implicitgrad.text.errors import InputError, Problem

if TYPE_CHECKING:
    from implicitgrad.model.system import LinearSystem
    from implicitgrad.numbers.sparse import SparseMatrix

MAX_NAMES = 5
MAX_BLOCK = 20
"""Lines of a block that is described beside a smaller one."""
NO_PARTNER = -1


class DeficientBlock(NamedTuple):
    """Lines of a matrix that have nonzero entries in fewer lines across than there are of them."""

    lines: list[int]
    across: list[int]


def refuse_deficient(system: LinearSystem, A: SparseMatrix) -> None:
    """Raise InputError if the pattern of A shows that it is not invertible."""
    pattern = sparse.csr_array((np.ones(A.array.nnz, dtype=np.int8), A.array.indices, A.array.indptr), A.shape)
    M, N = A.shape
    if M == N and pattern.diagonal().all():
        return
    partners = maximum_bipartite_matching(pattern, perm_type="column")
    rank = int((partners != NO_PARTNER).sum())
    if rank == M == N:
        return
    reasons = []
    if rank < M:
        block = _find_block(pattern, partners)
        reasons.append((len(block.lines), _few_unknowns(system, block)))
    if rank < N:
        transposed = pattern.T.tocsr()
        partners_of_unknowns = np.full(N, NO_PARTNER)
        matched = np.flatnonzero(partners != NO_PARTNER)
        partners_of_unknowns[partners[matched]] = matched
        block = _find_block(transposed, partners_of_unknowns)
        reasons.append((len(block.lines), _few_equations(system, block)))
    reasons.sort()
    shown = [reason for number, (size, reason) in enumerate(reasons) if not number or size <= MAX_BLOCK]
    message = f"A has at most rank {rank} by its pattern of {count(M, 'equation')} in {count(N, 'unknown')}: "
    hint = "Large sparse systems are solved where A is invertible"
    raise InputError([Problem(message + "; ".join(shown), hint, "structurally-singular", system.source)])


def _find_block(pattern: Any, partners: Array) -> DeficientBlock:  # noqa: ANN401 (a csr_array)
    """Return the lines that alternating paths reach from the first line without a partner, and the lines across."""
    M, N = pattern.shape
    matched = np.flatnonzero(partners != NO_PARTNER)
    there = pattern.tocoo()
    sources = np.concatenate([there.row, M + partners[matched]])
    targets = np.concatenate([M + there.col, matched])
    graph = sparse.csr_array((np.ones(len(sources), dtype=np.int8), (sources, targets)), shape=(M + N, M + N))
    start = int(np.flatnonzero(partners == NO_PARTNER)[0])
    reached = np.sort(breadth_first_order(graph, start, return_predecessors=False))
    return DeficientBlock(reached[reached < M].tolist(), (reached[reached >= M] - M).tolist())


def _few_unknowns(system: LinearSystem, block: DeficientBlock) -> str:
    equations = listed([_equation_name(system, i) for i in block.lines])
    unknowns = listed([printable(system.y[j]) for j in block.across])
    if not block.across:
        return f"equation {equations} has no unknown"
    return f"the {len(block.lines)} equations {equations} have only {count(len(block.across), 'unknown')}, {unknowns}"


def _few_equations(system: LinearSystem, block: DeficientBlock) -> str:
    unknowns = listed([printable(system.y[j]) for j in block.lines])
    equations = listed([_equation_name(system, i) for i in block.across])
    if not block.across:
        return f"unknown {unknowns} is in no equation"
    return f"the {len(block.lines)} unknowns {unknowns} are only in {count(len(block.across), 'equation')}, {equations}"


def _equation_name(system: LinearSystem, i: int) -> str:
    """Return the name of the input that an equation defines, or its number."""
    return printable(system.x[i]) if system.B is None else str(i + 1)


def listed(names: list[str]) -> str:
    """Return the first names, and a sign that there are more."""
    return ", ".join([*names[:MAX_NAMES], *(["…"] if len(names) > MAX_NAMES else [])])
