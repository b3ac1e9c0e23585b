"""Large systems in doubles: ours and NumPy's and SciPy's calls, interleaved in one run, medians and ratios.

And Octave, sympy and maxima where they are installed.

python cli_tests/benchmarks/float.py [ROUNDS]
"""

import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from implicitgrad import linear_system
from implicitgrad.solvers.dispatch import solve_system

NAIVE = """
import sys, numpy as np
A = np.load(sys.argv[1]); g = np.ones(len(A))
assert np.linalg.matrix_rank(A) == len(A)
np.save(sys.argv[2], np.linalg.inv(A)); np.linalg.solve(A.T, g)
"""
MEMORY = """
import resource, sys, numpy as np
from implicitgrad import linear_system
from implicitgrad.solvers.dispatch import solve_system
A = np.random.default_rng(0).standard_normal((2000, 2000)); system = linear_system(A)
np.linalg.inv(A[:50, :50])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
solve_system(system)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / A.nbytes + 1)
"""


def timed(jobs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of each."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def report(title: str, found: dict[str, float], ours: str, peers: dict[str, float | None]) -> None:
    print(f"\n{title}")
    for name, seconds in found.items():
        print(f"  {name:<44}{seconds * 1e3:9.1f} ms")
    for peer, limit in peers.items():
        if peer in found:
            asked = "" if limit is None else f"   (at most {limit})"
            print(f"  {ours} / {peer}: {found[ours] / found[peer]:.2f}{asked}")


def scipy_jobs(A: np.ndarray, g: np.ndarray) -> dict[str, Callable[[], object]]:
    try:
        from scipy.linalg import lu_factor, lu_solve, qr
    except ImportError:
        return {}
    return {
        "scipy LU, one solution": lambda: lu_solve(lu_factor(A), g, trans=1),
        "scipy pivoted QR": lambda: qr(A, pivoting=True, mode="economic"),
    }


def square(n: int, rounds: int) -> None:
    rng = np.random.default_rng(n)
    A, g = rng.standard_normal((n, n)), rng.standard_normal(n)
    system, jacobian = linear_system(A, g), linear_system(A)
    jobs: dict[str, Callable[[], object]] = {
        "inv": lambda: np.linalg.inv(A),
        "matrix_rank, inv, solve": lambda: (
            np.linalg.matrix_rank(A), np.linalg.inv(A), np.linalg.solve(A.T, g),
        ),
        "∂y/∂x certified, with bounds": lambda: solve_system(jacobian),
        "both": lambda: solve_system(system),
        "only ∂L/∂x": lambda: solve_system(system, gradient_alone=True),
    }  # fmt: skip
    found = timed(jobs | scipy_jobs(A, g), rounds)
    limits = {"inv": 2.2, "matrix_rank, inv, solve": 0.6} if n == 1000 else {"inv": None}
    report(f"{n}×{n}, determined", found, "∂y/∂x certified, with bounds", limits)
    if n == 1000:
        report("", {key: found[key] for key in ("only ∂L/∂x", "matrix_rank, inv, solve")}, "only ∂L/∂x",
               {"matrix_rank, inv, solve": 0.25})  # fmt: skip


def wide(rounds: int) -> None:
    rng = np.random.default_rng(0)
    A, g = rng.standard_normal((500, 1000)), rng.standard_normal(1000)
    system = linear_system(A, g)
    found = timed(
        {
            "pinv, matrix_rank": lambda: (np.linalg.pinv(A), np.linalg.matrix_rank(A)),
            "ours": lambda: solve_system(system),
        },
        rounds,
    )
    report("500×1000, free parameters and all", found, "ours", {"pinv, matrix_rank": 0.5})


def processes(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "A.npy"), Path(folder, "J.npy")
        np.save(source, np.random.default_rng(0).standard_normal((1000, 1000)))
        program = [sys.executable, "-m", "implicitgrad", "solve", str(source), "--output", str(target)]
        naive = [sys.executable, "-c", NAIVE, str(source), str(target)]
        found = timed(
            {
                "a naive script": lambda: subprocess.run(naive, check=True),
                "implicitgrad solve A.npy --output J.npy": lambda: subprocess.run(program, check=True),
            },
            rounds,
        )
    limits: dict[str, float | None] = {"a naive script": 0.7}
    report("whole processes, 1000×1000 .npy to .npy", found, "implicitgrad solve A.npy --output J.npy", limits)


OCTAVE = """
A = randn (1000); g = randn (1000, 1); times = zeros ({rounds}, 2);
for k = 1:{rounds}; tic; inv (A); times(k, 1) = toc; tic; rank (A); inv (A); A' \\ g; times(k, 2) = toc; end
printf ("%g %g", median (times))
"""


def octave(rounds: int) -> None:
    """Octave's own times for 1000×1000, without its start."""
    program = shutil.which("octave-cli")
    if program is None:
        return
    command = [program, "--eval", OCTAVE.format(rounds=rounds)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rng = np.random.default_rng(0)
    system = linear_system(rng.standard_normal((1000, 1000)), rng.standard_normal(1000))
    found = timed({"both, certified, with bounds": lambda: solve_system(system)}, rounds)
    names = ("Octave: inv", "Octave: rank, inv, A'\\g")
    found |= dict(zip(names, map(float, output.split()), strict=True))
    report("1000×1000 in Octave", found, "both, certified, with bounds", dict.fromkeys(names))


def programs(rounds: int) -> None:
    """Whole processes that solve one 12×12 system of decimals of two digits, exactly but for Octave and NumPy."""
    rng = np.random.default_rng(0)
    n = 12
    A, g = rng.integers(-999, 1000, (n, n)), rng.integers(-999, 1000, n)
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        source, table = Path(folder, "system.yaml"), Path(folder, "A.csv")
        rows = [", ".join(f"{value / 100:.2f}" for value in row) for row in [*A.tolist(), g.tolist()]]
        source.write_text("A:\n" + "".join(f"- [{row}]\n" for row in rows[:-1]) + f"dL_dy: [{rows[-1]}]\n")
        table.write_text("\n".join(rows) + "\n")
        fractions = ", ".join("[" + ", ".join(f"{value}/100" for value in row) + "]" for row in A.tolist())
        gradient = ", ".join(f"[{value}/100]" for value in g.tolist())
        maxima = f"J: invert (matrix ({fractions})); transpose (J) . matrix ({gradient});"
        octave = f"M = csvread ('{table}'); A = M(1:end-1, :); rank (A), inv (A), A' \\ M(end, :)'"
        commands = {
            "implicitgrad solve system.yaml --format json": [
                sys.executable, "-m", "implicitgrad", "solve", str(source), "--format", "json",
            ],
            "a naive script: numpy": [sys.executable, str(here / "naive.py"), str(source)],
            "sympy": [sys.executable, str(here / "sympy_peer.py"), str(source)],
            "octave-cli": ["octave-cli", "--eval", octave],
            "maxima": ["maxima", "--very-quiet", f"--batch-string={maxima}"],
        }  # fmt: skip
        installed = {name: command for name, command in commands.items() if shutil.which(command[0])}
        if importlib.util.find_spec("sympy") is None:
            del installed["sympy"]
        jobs = {
            name: partial(subprocess.run, command, check=True, capture_output=True)
            for name, command in installed.items()
        }
        found = timed(jobs, rounds)
    ours, *peers = found
    report("whole processes, 12×12 decimals", found, ours, dict.fromkeys(peers))


def main() -> None:
    rounds = int(sys.argv[1]) if sys.argv[1:] else 9
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a program that is installed has its bytecode on disk
    for n in (16, 100, 300, 1000):
        square(n, rounds)
    wide(rounds)
    processes(rounds)
    octave(rounds)
    programs(rounds)
    memory = subprocess.run([sys.executable, "-c", MEMORY], check=True, capture_output=True, text=True).stdout
    print(f"\npeak memory at n = 2000, in matrices: {float(memory):.1f}   (at most 8)")


if __name__ == "__main__":
    main()
