"""Reading and solving inside one process: python cli_tests/benchmarks/in_process.py

Each line has the median of repeated runs, ours and a peer's on the same input, and their ratio. Ours are run before the
peers are imported, as they would be in a process of their own.
"""

import random
import statistics
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path

from implicitgrad import read_systems, solve

SMALL = "A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\n"


def median(action: Callable[[], object], number: int) -> float:
    """The median of the time of one call, over 25 repeats of ``number`` calls, in µs."""
    return statistics.median(time / number * 1e6 for time in timeit.repeat(action, number=number, repeat=25))


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
        ours = {n: median(lambda path=path: solve(read_systems(path)[0]), 800 // n**2) for n, path in paths.items()}  # type: ignore[misc]
        theirs = {2: ("safe_load and numpy", median(lambda: naive(paths[2]), 50))}

        import sympy

        for n, A in matrices.items():
            theirs[n] = ("sympy's Matrix.inv alone", median(sympy.Matrix(A).inv, 1))
    for n, (peer, time) in theirs.items():
        print(f"read and solve {n:2}×{n:<2} {ours[n]:8.0f} µs   {peer:26}{time:8.0f} µs   ratio {ours[n] / time:.2f}")


if __name__ == "__main__":
    main()
