"""Large sparse systems: ours with the certificate, and SciPy's splu and solve, each in processes of its own.

A 2-D Laplacian and a network of resistors of very different sizes; medians of CPU time and peak memory, and ratios.
SciPy factors in its default order and in the one that suits symmetric patterns, which is ours.

python cli_tests/benchmarks/sparse.py [UNKNOWNS [ROUNDS]]
"""

import os
import statistics
import sys
import tempfile
from math import isqrt
from pathlib import Path

import numpy as np
from scipy import sparse

PROGRAM = str(Path(sys.executable).with_name("implicitgrad"))
PEER = """
import sys, numpy as np, scipy.sparse, scipy.sparse.linalg
A, g = scipy.sparse.load_npz("{name}.npz"), np.load("g.npy")
np.save("peer.npy", scipy.sparse.linalg.splu(A.T.tocsc(){order}).solve(g))
"""
SYMMETRIC = ', permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, relax=1, options={{"SymmetricMode": True}}'
ORDERS = {"splu": "", "splu, symmetric mode": SYMMETRIC.format()}
LIMIT = 1.5


def laplacian(m: int) -> sparse.csr_array:
    """The five-point Laplacian of an m×m grid, zero outside."""
    line = sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(m, m))
    eye = sparse.eye_array(m)
    return (sparse.kron(eye, line) + sparse.kron(line, eye)).tocsr()


def network(m: int) -> sparse.csr_array:
    """The conductances of m×m nodes on a grid: resistors from 1 mΩ to 1 kΩ, a fifth of those down missing, a ground."""
    rng = np.random.default_rng(m)
    nodes = np.arange(m * m).reshape(m, m)
    across = np.stack([nodes[:, :-1].ravel(), nodes[:, 1:].ravel()])
    down = np.stack([nodes[:-1].ravel(), nodes[1:].ravel()])
    ends = np.concatenate([across, down[:, rng.random(down.shape[1]) < 0.8], down[:, :1]], axis=1)
    conductances = 10.0 ** rng.uniform(-3, 3, ends.shape[1])
    incidence = sparse.coo_array(
        (np.repeat([1.0, -1.0], len(conductances)), (np.tile(np.arange(len(conductances)), 2), ends.ravel())),
        shape=(len(conductances), m * m),
    )
    ground = sparse.coo_array(([1.0], ([0], [0])), shape=(m * m, m * m))
    return (incidence.T @ sparse.diags_array(conductances) @ incidence + ground).tocsr()


def measured(command: list[str]) -> tuple[float, float]:
    """The seconds of CPU time, of one thread, and the peak MiB of a process."""
    child = os.spawnv(os.P_NOWAIT, command[0], command)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"{command} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compare(name: str, A: sparse.csr_array, rounds: int) -> None:
    sparse.save_npz(f"{name}.npz", A, compressed=False)
    np.save("g.npy", np.random.default_rng(1).standard_normal(A.shape[0]))
    jobs = {"ours": [PROGRAM, "solve", f"{name}.npz", "-g", "@g.npy", "--only", "dL_dx", "-o", "ours.npy"]}
    for peer, order in ORDERS.items():
        jobs[peer] = [sys.executable, "-c", PEER.format(name=name, order=order)]
    found: dict[str, list[tuple[float, float]]] = {job: [] for job in jobs}
    for _ in range(rounds):
        for job, command in jobs.items():
            found[job].append(measured(command))
    medians = {job: [statistics.median(numbers) for numbers in zip(*runs, strict=True)] for job, runs in found.items()}
    ours, peer = np.load("ours.npy"), np.load("peer.npy")
    difference = np.abs(ours - peer).max() / np.abs(peer).max()
    print(f"\n{name}: {A.shape[0]:,} unknowns, {A.nnz:,} entries; largest relative difference {difference:.0e}")
    for job, (seconds, memory) in medians.items():
        print(f"  {job:<20}{seconds:8.2f} s{memory:9.0f} MiB", end="")
        seconds_ratio, memory_ratio = (a / b for a, b in zip(medians["ours"], (seconds, memory), strict=True))
        print("" if job == "ours" else f"   ours / it {seconds_ratio:.2f}, {memory_ratio:.2f}   (at most {LIMIT})")


def main() -> None:
    m = isqrt(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        compare("laplacian", laplacian(m), rounds)
        compare("network", network(m), rounds)


if __name__ == "__main__":
    main()
