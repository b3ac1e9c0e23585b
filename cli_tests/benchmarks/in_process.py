"""Reading and solving inside one process: python cli_tests/benchmarks/in_process.py

Each line has the best and the median of repeated runs, ours and a peer's on the same input, and the ratio of the medians.
"""

import random
import statistics
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sympy
import yaml

from implicitgrad import read_systems, solve

SMALL = "A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\n"


def measure(action: Callable[[], object], number: int) -> tuple[float, float]:
    """Best and median seconds of one call, over 9 repeats of ``number`` calls."""
    times = [time / number for time in timeit.repeat(action, number=number, repeat=9)]
    return min(times), statistics.median(times)


def show(name: str, ours: tuple[float, float], peer: str, theirs: tuple[float, float]) -> None:
    best, median = (f"{seconds * 1e6:9.1f} µs" for seconds in ours)
    print(f"{name:36}{best}{median}   {peer:28}{theirs[1] * 1e6:9.1f} µs   ratio {ours[1] / theirs[1]:.2f}")


def naive(path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    A = np.array(document["A"], dtype=float)
    np.linalg.matrix_rank(A), np.linalg.inv(A), np.linalg.solve(A.T, np.array(document["dL_dy"], dtype=float))


def main() -> None:
    random.seed(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.yaml"
        path.write_text(SMALL)
        ours = measure(lambda: solve(read_systems(path)[0]), 300)
        show("2×2 YAML: read and solve", ours, "safe_load, numpy", measure(lambda: naive(path), 100))
        for n in (8, 16):
            A = [[random.randint(-999, 999) for _ in range(n)] for _ in range(n)]
            path.write_text(f"A: {A}\ndL_dy: {[1] * n}\n")
            ours = measure(lambda: solve(read_systems(path)[0]), 10)
            theirs = measure(lambda M=sympy.Matrix(A): M.inv(), 1)  # type: ignore[misc]
            show(f"{n}×{n} YAML, 3 digits: read and solve", ours, "sympy Matrix.inv alone", theirs)


if __name__ == "__main__":
    main()
