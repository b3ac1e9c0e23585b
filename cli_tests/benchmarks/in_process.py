"""Reading and solving inside one process: python cli_tests/benchmarks/in_process.py

Each line has the best and the median of repeated runs, ours and a peer's on the same input, and the ratio of the
medians. Ours are run before the peers are imported, as they would be in a process of their own.
"""

import random
import statistics
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path

from implicitgrad import read_systems, solve

SMALL = "A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\n"


def measure(action: Callable[[], object], number: int) -> tuple[float, float]:
    """The best and the median time of one call, over 100 repeats of ``number`` calls, in µs."""
    times = [time / number * 1e6 for time in timeit.repeat(action, number=number, repeat=100)]
    return min(times), statistics.median(times)


def naive(path: Path) -> None:
    import numpy as np
    import yaml

    document = yaml.safe_load(path.read_text())
    A = np.array(document["A"], dtype=float)
    np.linalg.matrix_rank(A)
    np.linalg.inv(A)
    np.linalg.solve(A.T, np.array(document["dL_dy"], dtype=float))


def main() -> None:
    random.seed(1)
    matrices = {n: [[random.randint(-999, 999) for _ in range(n)] for _ in range(n)] for n in (8, 16)}
    with tempfile.TemporaryDirectory() as folder:
        paths = {n: Path(folder) / f"{n}.yaml" for n in (2, 8, 16)}
        paths[2].write_text(SMALL)
        for n, A in matrices.items():
            paths[n].write_text(f"A: {A}\ndL_dy: {[1] * n}\n")
        ours = {
            n: measure(lambda path=path: solve(read_systems(path)[0]), max(1, 80 // n**2)) for n, path in paths.items()
        }  # type: ignore[misc]
        theirs = {2: ("safe_load and numpy", measure(lambda: naive(paths[2]), 10))}

        import sympy

        for n, A in matrices.items():
            theirs[n] = ("sympy's Matrix.inv alone", measure(sympy.Matrix(A).inv, 1))
    for n, (peer, time) in theirs.items():
        best, middle = ours[n]
        print(f"read and solve {n:2}×{n:<2} best {best:6.0f} µs, median {middle:6.0f} µs", end="   ")
        print(f"{peer:24} best {time[0]:6.0f} µs, median {time[1]:6.0f} µs   ratio {middle / time[1]:.2f}")


if __name__ == "__main__":
    main()
