"""Many small systems: implicitgrad batch, a plain loop, and a process for each; whole processes, interleaved, medians.

python cli_tests/benchmarks/batch.py [SYSTEMS] [ROUNDS]
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
PROGRAM = [sys.executable, "-m", "implicitgrad"]
ALONE = 20
"""Systems that are solved by a process each."""


def write_systems(folder: Path, number: int, sizes: tuple[int, int] = (2, 6)) -> Path:
    """Files of 2×2 to 6×6 decimals of two digits, and the same as JSON lines beside the folder."""
    numbers = random.Random(1)
    folder.mkdir()
    stream = folder.with_suffix(".jsonl")
    with open(stream, "w") as lines:
        for k in range(number):
            n = numbers.randint(*sizes)
            *A, g = [[round(numbers.uniform(-9, 9), 2) for _ in range(n)] for _ in range(n + 1)]
            (folder / f"s{k:06}.yaml").write_text("A:\n" + "".join(f"- {row}\n" for row in A) + f"dL_dy: {g}\n")
            lines.write(json.dumps({"A": A, "dL_dy": g}) + "\n")
    return stream


def seconds(command: list[str], lines: Path | None = None) -> float:
    """How long a command takes, with lines through a pipe."""
    start = time.perf_counter()
    with subprocess.Popen(["cat", lines or "/dev/null"], stdout=subprocess.PIPE) as feeder:
        subprocess.run(command, stdin=feeder.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def peak(command: list[str], stdin: Path) -> float:
    """MB of the largest process of a command."""
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    with open(stdin, "rb") as source:
        result = subprocess.run([sys.executable, "-c", script, *command], stdin=source, capture_output=True, check=True)
    return int(result.stdout) / 1024


def main() -> None:
    number = int(sys.argv[1]) if sys.argv[1:] else 10_000
    rounds = int(sys.argv[2]) if sys.argv[2:] else 5
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a program that is installed has its bytecode on disk
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "systems")
        stream = write_systems(folder, number)
        larger = write_systems(Path(temporary, "larger"), number // 2, (10, 12))
        batch = [*PROGRAM, "batch", str(folder), "--jobs"]
        lines = [*PROGRAM, "batch", "-", "--jobs"]
        jobs = {
            "a plain loop": ([sys.executable, str(HERE / "naive_batch.py"), str(folder)], None),
            "batch, one process": ([*batch, "1"], None),
            "batch, two": ([*batch, "2"], None),
            "JSON lines, one process": ([*lines, "1"], stream),
            "JSON lines, two": ([*lines, "2"], stream),
            "10×10 to 12×12, one process": ([*lines, "1"], larger),
            "10×10 to 12×12, two": ([*lines, "2"], larger),
        }
        times: dict[str, list[float]] = {name: [] for name in jobs}
        alone = []
        for _ in range(rounds):
            for name, (command, source) in jobs.items():
                times[name].append(seconds(command, source))
            some = sorted(folder.iterdir())[:ALONE]
            alone += [seconds([*PROGRAM, "solve", str(path), "--format", "json"]) for path in some]
        rates = {name: number / statistics.median(found) for name, found in times.items()}
        for name in ("10×10 to 12×12, one process", "10×10 to 12×12, two"):
            rates[name] /= 2
        rates["a process each"] = 1 / statistics.median(alone)
        for name, rate in rates.items():
            print(f"{name:<28}{rate:10,.0f} systems a second")
        loop, one, two = rates["a plain loop"], rates["batch, one process"], rates["batch, two"]
        print(f"one process / loop {one / loop:.2f} (at least 3), two / loop {two / loop:.2f} (5)")
        worth = rates["10×10 to 12×12, two"] / rates["10×10 to 12×12, one process"]
        print(f"two / one {two / one:.2f}, on 10×10 to 12×12 {worth:.2f} (1.7)")
        print(f"two / a process each {two / rates['a process each']:.0f} (100)")
        jobs_lines = (rates["JSON lines, one process"] / one, rates["JSON lines, two"] / two)
        print("JSON lines / files, one process {:.2f}, two {:.2f} (1.5)".format(*jobs_lines))
        short = Path(temporary, "short.jsonl")
        short.write_text("".join(stream.read_text().splitlines(keepends=True)[:1000]))
        many = Path(temporary, "many.jsonl")
        many.write_text(stream.read_text() * max(1, 100_000 // number))
        sizes = [peak([*lines, "1"], source) for source in (short, many)]
        print(f"peak memory for 1,000 lines {sizes[0]:.0f} MB, for 100,000 {sizes[1]:.0f} MB (within 20)")


if __name__ == "__main__":
    main()
