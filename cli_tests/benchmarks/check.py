"""1,000 small files checked, on one core: beside one file, and beside a naive numpy loop. Prints medians and ratios.

python cli_tests/benchmarks/check.py [ROUNDS]
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from implicitgrad import solve

HERE = Path(__file__).parent
PROGRAM = str(Path(sys.executable).with_name("implicitgrad"))
FILES = 1000


def write_files(folder: Path) -> None:
    """Systems of 2 to 4 unknowns, small integers, each with its rank and gradient as claims."""
    random.seed(1)
    written = 0
    while written < FILES:
        n = random.randint(2, 4)
        A = [[random.randint(-9, 9) for _ in range(n)] for _ in range(n)]
        g = [random.randint(-9, 9) for _ in range(n)]
        solution = solve(A, g)
        if solution.rank < n:
            continue
        claim = [float(value) for value in solution.dL_dx or ()]  # type: ignore[arg-type]
        text = f"A: {A}\ndL_dy: {g}\nexpect:\n  status: determined\n  rank: {n}\n  dL_dx: {claim}\n"
        (folder / f"system{written:04}.yaml").write_text(text)
        written += 1


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder)
        one = str(folder / "system0000.yaml")
        commands = {
            "naive numpy loop, 1,000 files": [sys.executable, str(HERE / "naive_check.py"), name],
            "check, 1,000 files": [PROGRAM, "check", name],
            "check, 1 file": [PROGRAM, "check", one],
        }
        times: dict[str, list[float]] = {label: [] for label in commands}
        for _ in range(rounds):
            for label, command in commands.items():
                start = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
                times[label].append(time.perf_counter() - start)
    medians = {label: statistics.median(values) for label, values in times.items()}
    base = next(iter(medians.values()))
    print(f"{'command':<30}  {'median':>8}  {'ratio':>5}   of {rounds} rounds, one core")
    for label, median in medians.items():
        print(f"{label:<30}  {median * 1000:6.0f} ms  {median / base:5.2f}")
    extra = [many - one for many, one in zip(times["check, 1,000 files"], times["check, 1 file"], strict=True)]
    print(f"1,000 files more than 1: median {statistics.median(extra) * 1000:.0f} ms, best {min(extra) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
