"""Stacks of small systems: certified ∂y/∂x beside numpy.linalg.inv of the stack, and beside a loop over solve.

All run interleaved in one process, arrays in and arrays out; medians and their ratios.

python cli_tests/benchmarks/stacks.py [ROUNDS]
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is loaded; its threads only disturb small matrices

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from implicitgrad import solve

Array = np.ndarray[Any, Any]
LOOPED = 200
"""The systems that are solved one by one, since all of them would take minutes."""
LOOP = f"[solve(a).dy_dx for a in A], from {LOOPED}"
MAX_OF_INV, MAX_OF_LOOP = 5.0, 0.05
STACKS = {(10_000, 5): True, (10_000, 3): False, (2_000, 16): False, (500, 50): False, (100, 128): False}
"""By number and size: whether the limits are asked for."""


def seconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def measure(A: Array, g: Array, rounds: int) -> dict[str, float]:
    """Return the median seconds for the whole stack."""
    some = min(LOOPED, len(A))
    jobs: dict[str, tuple[Callable[[], object], float]] = {
        "numpy.linalg.inv": (lambda: np.linalg.inv(A), 1),
        "numpy.linalg.solve": (lambda: np.linalg.solve(np.swapaxes(A, 1, 2), g[..., None]), 1),
        "solve(A).dy_dx": (lambda: solve(A).dy_dx, 1),
        "solve(A, g).dL_dx": (lambda: solve(A, g).dL_dx, 1),
        LOOP: (lambda: [solve(a).dy_dx for a in A[:some]], len(A) / some),
    }
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, (job, factor) in jobs.items():
            times[name].append(seconds(job) * factor)
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    rng = np.random.default_rng(0)
    solve(rng.normal(size=(2, 2, 2))).dy_dx, solve(np.eye(2))  # loads everything
    for (S, n), is_asked in STACKS.items():
        A, g = rng.normal(size=(S, n, n)), rng.normal(size=(S, n))
        found, answer = measure(A, g, rounds), solve(A)
        relative = np.median(answer.error_bounds[0] / np.abs(answer.dy_dx).max(axis=(1, 2)))
        print(f"\n{S:,} systems of {n}×{n}: {np.isfinite(answer.error_bounds[0]).mean():.1%} certified, ", end="")
        print(f"bound/largest entry {relative:.1e} in the median")
        for name, value in found.items():
            print(f"  {name:<44}{value * 1e3:9.1f} ms")
        inv, ours, loop = found["numpy.linalg.inv"], found["solve(A).dy_dx"], found[LOOP]
        for peer, ratio, limit in (("inv", ours / inv, MAX_OF_INV), ("loop", ours / loop, MAX_OF_LOOP)):
            asked = f"   (at most {limit})" if is_asked else ""
            print(f"  solve(A).dy_dx / {peer:<27}{ratio:9.4f}{asked}")


if __name__ == "__main__":
    main()
