"""Quadratic programs beside peers, in one process: python cli_tests/benchmarks/programs.py [PROGRAMS] [ROUNDS]

Ours is the exact answer with its proof, the Jacobian and ∂L/∂(P, q, G, h, A, b); quadprog's is z alone; Clarabel's with
diffcp and qpth's are z and ∂L/∂ of everything in doubles. Medians, and the ratio of ours to each. The last part is many
small programs: through ``implicitgrad batch`` on one core, read and written, and a plain loop over diffcp or qpth. A
peer that is not installed is left out.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

from implicitgrad.model.program.problem import Loss, QuadraticProgram
from implicitgrad.solvers.program.solver import solve_program

ZERO = Fraction(0)
Rows = tuple[tuple[Fraction, ...], ...]


def random_program(n: int, m: int, seed: int) -> QuadraticProgram:
    """A definite P, and numbers of one digit."""
    random = Random(seed)

    def rows(number: int) -> Rows:
        return tuple(tuple(Fraction(random.randint(-9, 9)) for _ in range(n)) for _ in range(number))

    B, G, (z, q, loss) = rows(n), rows(m), rows(3)
    P = tuple(tuple(sum((r[i] * r[j] for r in B), Fraction(i == j)) for j in range(n)) for i in range(n))
    h = tuple(sum((a * b for a, b in zip(row, z, strict=True)), Fraction(random.randint(0, 9))) for row in G)
    return QuadraticProgram(
        P=P,
        q=tuple(20 * x for x in q),
        G=G,
        h=h,
        A=(),
        b=(),
        lower=(None,) * n,
        upper=(None,) * n,
        z=tuple(f"z{j + 1}" for j in range(n)),
        inequality_names=tuple(f"h{i + 1}" for i in range(m)),
        equality_names=(),
        losses=(Loss(loss, (ZERO,) * m, ()),),
    )


def of_quadprog() -> Callable[[QuadraticProgram], Callable[[], object]]:
    import numpy
    import quadprog

    def prepare(program: QuadraticProgram) -> Callable[[], object]:
        P, q, G, h = (numpy.array(part, dtype=float) for part in (program.P, program.q, program.G, program.h))
        return lambda: quadprog.solve_qp(P, -q, -G.T, -h)

    return prepare


def of_diffcp() -> Callable[[QuadraticProgram], Callable[[], object]]:
    """As cvxpylayers do: minimise t + qᵀz subject to ‖(√2·Lᵀz, t − 1)‖ ≤ t + 1, P = L·Lᵀ, and G·z ≤ h."""
    import diffcp
    import numpy
    import scipy.sparse

    def prepare(program: QuadraticProgram) -> Callable[[], object]:
        P, q, G, h = (numpy.array(part, dtype=float) for part in (program.P, program.q, program.G, program.h))
        n, m = len(q), len(h)
        t = numpy.zeros((1, n + 1))
        t[0, n] = 1
        root = numpy.sqrt(2) * numpy.linalg.cholesky(P).T
        rows = [numpy.column_stack([G, numpy.zeros(m)]), -t, -t, -numpy.column_stack([root, numpy.zeros(n)])]
        A = scipy.sparse.csc_matrix(numpy.vstack(rows))
        b, c = numpy.concatenate([h, [1, -1], numpy.zeros(n)]), numpy.append(q, 1)
        cones = {diffcp.POS: m, diffcp.SOC: [n + 2]}
        loss = numpy.append(numpy.array(program.losses[0].z, dtype=float), 0)

        def solve() -> object:
            _, y, s, _, adjoint = diffcp.solve_and_derivative(A, b, c, cones, solve_method="Clarabel", verbose=False)
            return adjoint(loss, numpy.zeros_like(y), numpy.zeros_like(s))

        return solve

    return prepare


def of_qpth() -> Callable[[QuadraticProgram], Callable[[], object]]:
    import numpy
    import torch
    from qpth.qp import QPFunction

    def prepare(program: QuadraticProgram) -> Callable[[], object]:
        arrays = [numpy.array(part, dtype=float) for part in (program.P, program.q, program.G, program.h)]
        loss = torch.tensor(numpy.array(program.losses[0].z, dtype=float))

        def solve() -> object:
            tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
            nothing = torch.empty(0, dtype=torch.float64)
            (QPFunction(verbose=-1)(*tensors, nothing, nothing)[0] @ loss).backward()
            return [tensor.grad for tensor in tensors]

        return solve

    return prepare


PEERS = {
    "quadprog": (("quadprog",), of_quadprog),
    "clarabel and diffcp": (("clarabel", "diffcp"), of_diffcp),
    "qpth": (("torch", "qpth"), of_qpth),
}


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def batch_seconds(programs: list[QuadraticProgram]) -> float:
    """How long ``implicitgrad batch`` takes from JSON lines to JSON lines, with its start."""

    def numbers(rows: Any) -> Any:
        return [numbers(row) for row in rows] if isinstance(rows, tuple) else int(rows)

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "programs.jsonl", Path(folder) / "answers.jsonl"
        lines = [
            json.dumps(
                {key: numbers(getattr(p, key)) for key in ("P", "q", "G", "h")} | {"dL_dz": numbers(p.losses[0].z)}
            )
            for p in programs
        ]
        source.write_text("\n".join(lines) + "\n")
        command = [sys.executable, "-m", "implicitgrad", "batch", source, "--jobs", "1", "--output", target, "--quiet"]
        found = seconds(lambda: subprocess.run(command, check=True))
        assert len(target.read_text().splitlines()) == len(programs)
    return found


def main() -> None:
    number = int(sys.argv[1]) if sys.argv[1:] else 1000
    rounds = int(sys.argv[2]) if sys.argv[2:] else 5
    programs = [random_program(Random(seed).randint(2, 5), 6, seed) for seed in range(number)]
    of_batch = batch_seconds(programs)
    installed = {name: peer() for name, (modules, peer) in PEERS.items() if all(map(find_spec, modules))}
    missing = [name for name in PEERS if name not in installed]
    for n, m in ((2, 4), (20, 40), (50, 100)):
        solvers: dict[str, list[Callable[[], object]]] = {"implicitgrad": [], **{name: [] for name in installed}}
        for program in (random_program(n, m, seed) for seed in range(rounds)):
            solvers["implicitgrad"].append(lambda program=program: solve_program(program))  # type: ignore[misc]
            for name, prepare in installed.items():
                solvers[name].append(prepare(program))
        for actions in solvers.values():
            actions[0]()  # imports
        medians = {name: statistics.median(map(seconds, actions)) for name, actions in solvers.items()}
        ours = medians.pop("implicitgrad")
        print(f"n = {n:2}, m = {m:3}   exact, with proof and Jacobian {1e3 * ours:8.2f} ms", end="")
        print("".join(f"   {name} {1e3 * time:7.3f} ms, ratio {ours / time:6.1f}" for name, time in medians.items()))
    print(f"{number} small programs   batch {number / of_batch:5.0f}/s", end="")
    for name, prepare in installed.items():
        if name != "quadprog":
            total = seconds(lambda prepare=prepare: [prepare(program)() for program in programs])  # type: ignore[misc]
            print(f"   loop over {name} {number / total:5.0f}/s, ratio of times {of_batch / total:4.2f}", end="")
    print(f"\nnot installed: {', '.join(missing)}" if missing else "")


if __name__ == "__main__":
    main()
