"""How long a large CSV and a large YAML take to be read, beside NumPy and PyYAML, in one process.

python cli_tests/benchmarks/reading.py [RUNS]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import yaml

from implicitgrad import read_systems


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def compare(name: str, ours: Callable[[], object], theirs: Callable[[], object], runs: int, most: float) -> None:
    """Runs of both in turn, and the ratio of their medians."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(runs)]
    own, other = (median(column) for column in zip(*pairs, strict=True))
    print(f"{name:42}{own * 1e3:8.0f} ms{other * 1e3:8.0f} ms{own / other:8.2f}  (at most {most})")


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    generator = np.random.default_rng(0)
    large, small = (generator.standard_normal((n, n)).tolist() for n in (1000, 300))
    with tempfile.TemporaryDirectory() as folder:
        table, document = Path(folder, "table.csv"), Path(folder, "system.yaml")
        table.write_text("".join(",".join(map(repr, row)) + "\n" for row in large))
        text = "A:\n" + "".join(f"  - [{', '.join(map(repr, row))}]\n" for row in small)
        document.write_text(text)
        compare(
            "CSV 1000×1000, beside np.loadtxt",
            lambda: read_systems(table),
            lambda: np.loadtxt(table, delimiter=","),
            runs,
            1.25,
        )
        compare(
            "YAML 300×300, beside PyYAML's CSafeLoader",
            lambda: read_systems(document),
            lambda: yaml.load(text, Loader=yaml.CSafeLoader),
            runs,
            0.45,
        )


if __name__ == "__main__":
    main()
