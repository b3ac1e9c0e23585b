"""Whole processes side by side: python cli_tests/benchmarks/startup.py [ROUNDS]

Each round runs every command once, in turn; the table has medians, and the ratio to the naive numpy script's.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
SYSTEM = "A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\n"


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    program = str(Path(sys.executable).with_name("implicitgrad"))
    # A program that is installed has its bytecode on disk.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        system = Path(folder) / "two_equations.yaml"
        system.write_text(SYSTEM)
        commands = {
            "naive numpy script": [sys.executable, str(HERE / "naive.py"), str(system)],
            "the same with sympy": [sys.executable, str(HERE / "sympy_peer.py"), str(system)],
            "solve --format json": [program, "solve", str(system), "--format", "json"],
            "solve (table)": [program, "solve", str(system)],
            "--help": [program, "--help"],
            "solve --help": [program, "solve", "--help"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for round_number in range(rounds + 1):
            for name, command in commands.items():
                start = time.perf_counter()
                subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
                if round_number:  # the first one fills the caches
                    times[name].append(time.perf_counter() - start)
    naive = statistics.median(times["naive numpy script"])
    print(f"{'command':22} {'median':>9} {'ratio':>7}   of {rounds} rounds")
    for name, measured in times.items():
        median = statistics.median(measured)
        print(f"{name:22} {median * 1e3:6.1f} ms {median / naive:7.2f}")


if __name__ == "__main__":
    main()
