"""Fuzz the command for some minutes: python cli_tests/fuzz.py MINUTES [SEED].

Each trial makes a random input and holds a property of the answer:

- text: damaged files of every format are answered or refused with a message, without a fault or a control character;
- formats: a system as YAML, JSON, JSON lines, CSV, inline and NumPy file has one answer, and batch's is solve's;
- float: doubles differ from the exact answer by at most their stated bounds;
- claims: an answer, written in any format that is read, holds in check; the same answer perturbed fails;
- equations: derivatives at a point agree with those of the exact linear system of sympy's partial derivatives.

Failures are printed with the seed of their trial, which ``--trial SEED`` repeats; the exit code is 1 if there is any.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from command import call

SAMPLES = Path(__file__).parent.parent / "sample_systems"
HOSTILE = [
    "\x1b[2J",
    "\n::error file=a::b",
    "\x00",
    "\x9b",
    "\u2028",
    "\u202e",
    "\ufffe",
    "[red]",
    "=1+1",
    "null",
    "1e3",
    "é",
    '"',
    "'",
    ",",
]
OTHER_OUTPUTS = [
    ["solve", "--steps"],
    ["check"],
    ["check", "--github"],
    ["check", "--format", "json"],
    ["batch", "-j1"],
]
FRAGMENTS = [
    "1e400",
    "nan",
    "-",
    "010",
    "1_0",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    ";",
    "&a",
    "*a",
    "!!int 1",
    "\t",
    "\r",
    "#",
    "'",
    '"',
    "1/0",
    "1/3",
    "1e-399",
    "9999999999999999999999999999999999999999",
    "\u2212",
    "\ufeff",
    "expect",
    "dL_dx",
    "A",
    "B",
    "x",
    "y",
    "null",
    "true",
    "- ",
    "---\n",
    "x^2",
    "sin(",
    "y**y",
]


def solve_error(result: Any) -> str | None:
    """Say how a result breaks the promises about any input; None if it keeps them."""
    if result.returncode not in (0, 1, 2):
        return f"exit code {result.returncode}: {result.stderr[-300:]}"
    if "Traceback" in result.stderr + result.stdout:
        return "a traceback"
    for text in (result.stdout, result.stderr):
        if any((ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u2029\u202e" for c in text):
            return f"a control character in {text[:200]!r}"
        if any(line.startswith("::error file=a::b") for line in text.splitlines()):
            return f"a forged annotation in {text[:200]!r}"
    if result.returncode == 2 and not result.stderr.strip():
        return "an error without a message"
    return None


def number(rng: random.Random) -> str:
    kind = rng.randrange(6)
    if kind < 3:
        return str(rng.randint(-4, 4))
    if kind == 3:
        return f"{rng.randint(-9, 9)}/{rng.randint(1, 9)}"
    if kind == 4:
        return f"{rng.uniform(-5, 5):.2f}"
    return f"{rng.randint(-99, 99)}e{rng.randint(-8, 8)}"


def system(rng: random.Random, largest: int = 4) -> dict[str, Any]:
    """Make a random system, often of deficient rank, as texts of numbers."""
    M, N = rng.randint(1, largest), rng.randint(1, largest)
    A = [[number(rng) for _ in range(N)] for _ in range(M)]
    if M > 1 and rng.random() < 0.4:
        A[-1] = list(A[0])
    found: dict[str, Any] = {"A": A}
    if rng.random() < 0.7:
        found["dL_dy"] = [number(rng) for _ in range(N)]
    return found


def inline(rows: list[list[str]]) -> str:
    return "; ".join(" ".join(row) for row in rows)


def as_yaml(found: dict[str, Any]) -> str:
    lines = [f"A: [{', '.join('[' + ', '.join(row) + ']' for row in found['A'])}]"]
    if "dL_dy" in found:
        lines.append(f"dL_dy: [{', '.join(found['dL_dy'])}]")
    return "\n".join(lines) + "\n"


def command_line(found: dict[str, Any]) -> list[str]:
    return ["-A", inline(found["A"]), *(["-g", " ".join(found["dL_dy"])] if "dL_dy" in found else [])]


def answer(text: str) -> dict[str, Any]:
    """Return a record without what depends on where the system stood."""
    record = json.loads(text)
    for key in ("name", "source", "content_hash"):
        record.pop(key, None)
    return dict(record)


def damage(rng: random.Random, text: str) -> str:
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(text))
        kind = rng.randrange(4)
        if kind == 0:
            text = text[:at] + rng.choice(FRAGMENTS + HOSTILE) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + rng.randint(1, 6) :]
        elif kind == 2:
            end = min(len(text), at + rng.randint(1, 20))
            text = text[:end] + text[at:end] + text[end:]
        else:
            text = text[:at] + chr(rng.choice([0, 7, 27, 127, 155, 0x2028, 0xFFFE, 0x1F600, 0x202E])) + text[at + 1 :]
    return text


def text_is_answered_or_refused(rng: random.Random, folder: Path) -> str | None:
    small = [path for path in SAMPLES.iterdir() if path.stat().st_size < 3000]
    verb = rng.choice(["solve", "check", "batch"])
    suffix = rng.choice([".yaml", ".csv", ".json", ".tsv", *([] if verb == "solve" else [".jsonl"])])
    if suffix in (".yaml", ".csv") and rng.random() < 0.6:
        base = rng.choice(sorted(path for path in small if path.suffix == suffix)).read_text("utf-8")
    elif suffix in (".csv", ".tsv"):
        base = "\n".join(("," if suffix == ".csv" else "\t").join(row) for row in system(rng)["A"])
    else:
        base = json.dumps(system(rng))
    name = f"case{suffix}"
    files = {name: damage(rng, base).encode("utf-8", "surrogatepass")}
    options = {
        "solve": ["-f", rng.choice(["table", "json", "yaml", "csv", "markdown", "latex"])],
        "check": rng.choice([[], ["--format", "json"], ["--github"]]),
        "batch": ["-j1"],
    }[verb]
    return solve_error(call(folder, verb, name, *options, files=files))


def formats_agree(rng: random.Random, folder: Path) -> str | None:
    import numpy as np

    found = system(rng)
    csv = "\n".join(",".join(row) for row in found["A"]) + "\n"
    texts = {"s.yaml": as_yaml(found), "s.json": json.dumps(found), "s.jsonl": json.dumps(found) + "\n", "s.csv": csv}
    gradient = ["-g", " ".join(found["dL_dy"])] if "dL_dy" in found else []
    inputs = {
        name: ["solve", name, "-f", "json", *(gradient if name == "s.csv" else [])]
        for name in texts
        if name != "s.jsonl"
    }
    inputs["inline"] = ["solve", *command_line(found), "-f", "json"]
    inputs["batch"] = ["batch", "s.yaml", "-j1", "-q"]
    inputs["JSON lines"] = ["batch", "s.jsonl", "-j1", "-q"]
    answers = {}
    for name, arguments in inputs.items():
        result = call(folder, *arguments, files=dict(texts))
        if result.returncode:
            return f"{name}: exit code {result.returncode}: {result.stderr[:300]}"
        answers[name] = answer(result.stdout)
    for name, found_answer in answers.items():
        if found_answer != answers["inline"]:
            return f"{name} and inline have different answers for {found}"
    doubles = {
        key: np.array([[*map(_double, row)] for row in value] if key == "A" else [*map(_double, value)])
        for key, value in found.items()
    }
    buffer = io.BytesIO()
    np.savez(buffer, **doubles)
    array = call(folder, "solve", "s.npz", "-f", "json", files={"s.npz": buffer.getvalue()})
    rounded = {"A": [[str(Fraction(v)) for v in row] for row in doubles["A"].tolist()]}
    if "dL_dy" in doubles:
        rounded["dL_dy"] = [str(Fraction(v)) for v in doubles["dL_dy"].tolist()]
    text = call(folder, "solve", *command_line(rounded), "-f", "json", "--arithmetic", "exact")
    if array.returncode or text.returncode:
        return f"npz: exit code {array.returncode}, {text.returncode}: {array.stderr[:200]}{text.stderr[:200]}"
    return within_bounds(json.loads(array.stdout), json.loads(text.stdout))


def within_bounds(doubles: dict[str, Any], exact: dict[str, Any]) -> str | None:
    """Say which entry is off by more than its bound; None where nothing is certified."""
    for key in ("dy_dx", "dL_dx"):
        bound = (doubles["error_bound"] or {}).get(key)
        if bound is None or doubles["status"] != exact["status"] or doubles["independent"] != exact["independent"]:
            continue
        general = exact["general"]
        if general and doubles["general"]["free"] != general["free"]:
            continue
        ours, truth = doubles[key], exact["exact"][key]
        if ours is None:
            continue
        pairs = zip(_flat(ours), _flat(truth), strict=True)
        for value, fraction in pairs:
            if (value is None) != (fraction is None):
                return f"{key}: {value} is determined in one arithmetic only ({fraction})"
            if value is not None and abs(Fraction(value) - Fraction(fraction)) > Fraction(bound):
                return f"{key}: {value} is not within {bound} of {fraction}"
    return None


def _double(text: str) -> float:
    return float(Fraction(text))


def _flat(value: Any) -> list[Any]:
    return [entry for row in value for entry in _flat(row)] if isinstance(value, list) else [value]


def doubles_are_within_their_bounds(rng: random.Random, folder: Path) -> str | None:
    found = system(rng, 6)
    if rng.random() < 0.5:
        scale = rng.choice(["e-9", "e9", "e-150", "e150"])
        found["A"] = [[f"{rng.randint(-99, 99)}{scale}" if "/" not in v else v for v in row] for row in found["A"]]
    records = {}
    for arithmetic in ("float", "exact"):
        result = call(folder, "solve", *command_line(found), "-f", "json", "--arithmetic", arithmetic)
        if wrong := solve_error(result):
            return wrong
        if result.returncode:
            return None if arithmetic == "float" else f"exact arithmetic refuses {found}: {result.stderr[:200]}"
        records[arithmetic] = json.loads(result.stdout)
    return within_bounds(records["float"], records["exact"])


def an_answer_holds_and_perturbed_fails(rng: random.Random, folder: Path) -> str | None:
    found = system(rng)
    suffix = rng.choice(["yaml", "npz"])
    arithmetic = rng.choice(["auto", "float"])
    written = call(folder, "solve", *command_line(found), "-o", f"own.{suffix}", "--arithmetic", arithmetic)
    if written.returncode:
        return solve_error(written)
    if suffix != "npz":
        own = call(folder, "check", f"own.{suffix}", "--format", "json")
        if own.returncode and '"undecided": true' not in own.stdout:
            said = own.stdout[:400] + own.stderr[:200]
            return f"its own answer does not hold ({suffix}, {arithmetic}) for {found}: {said}"
    record = json.loads(call(folder, "solve", *command_line(found), "-f", "json", "--arithmetic", "exact").stdout)
    if record["status"] != "determined":
        return None
    J = [[Fraction(v) for v in row] for row in record["exact"]["dy_dx"]]
    i, k = rng.randrange(len(J)), rng.randrange(len(J[0]))
    right = inline([[str(v) for v in row] for row in J])
    J[i][k] += Fraction(1, rng.randint(1, 10**6)) * rng.choice([1, -1]) * (abs(J[i][k]) or 1)
    wrong = inline([[str(v) for v in row] for row in J])
    for claim, code in ((right, 0), (wrong, 1)):
        result = call(folder, "check", *command_line(found), "--dydx", claim)
        if result.returncode != code:
            return f"check says {result.returncode} of {claim} for {found}: {result.stdout[:300]}{result.stderr[:200]}"
    return None


def hostile_names_are_escaped(rng: random.Random, folder: Path) -> str | None:
    found = system(rng, 3)
    names = [f"{rng.choice(HOSTILE)}{i}" for i in range(len(found["A"][0]))]
    inputs = [f"v{i}{rng.choice(HOSTILE)}" for i in range(len(found["A"]))]
    text = json.dumps({**found, "y": names, "x": inputs, "expect": {"rank": 99, "status": "determined"}})
    options = rng.choice(
        [["solve", "-f", form] for form in ("table", "markdown", "latex", "yaml", "csv")] + OTHER_OUTPUTS
    )
    result = call(folder, options[0], "names.json", *options[1:], files={"names.json": text + "\n"})
    if wrong := solve_error(result):
        return f"{wrong} ({options}, {names}, {inputs})"
    if options == ["solve", "-f", "yaml"] and result.returncode == 0:
        again = call(folder, "solve", "again.yaml", "-f", "json", files={"again.yaml": result.stdout})
        if again.returncode or json.loads(again.stdout)["y"] != names or json.loads(again.stdout)["x"] != inputs:
            return f"the YAML written is not read as it was: {again.stderr[:300]} ({names}, {inputs})"
    return None


def expression(rng: random.Random, names: list[str], depth: int = 3) -> str:
    if depth == 0 or rng.random() < 0.25:
        return rng.choice([*names, str(rng.randint(1, 5))])
    left, right = (expression(rng, names, depth - 1) for _ in range(2))
    form = rng.choice(
        ["({0} + {1})", "({0} - {1})", "{0}*{1}", "({0})^2", "sin({0})", "exp({0})", "({0})/({1})", "cosh({0})"]
    )
    return form.format(left, right)


def equations_agree_with_sympy(rng: random.Random, folder: Path) -> str | None:
    import sympy

    body = expression(rng, ["x", "y"])
    equation = f"y + {body} = x*y + c"
    x, y = Fraction(rng.randint(1, 3), 2), Fraction(rng.randint(1, 3), 4)
    symbols = sympy.symbols("x y c")
    F = sympy.sympify(f"y + ({body.replace('^', '**')}) - x*y", locals=dict(zip("xyc", symbols, strict=True)))
    point = {
        symbols[0]: sympy.Rational(x.numerator, x.denominator),
        symbols[1]: sympy.Rational(y.numerator, y.denominator),
    }
    value = complex(F.subs(point).evalf(30))
    slope = (
        complex((-F.diff(symbols[0]) / F.diff(symbols[1])).subs(point).evalf(30))
        if F.diff(symbols[1]) != 0
        else complex("nan")
    )
    if (
        not math.isfinite(value.real)
        or not math.isfinite(slope.real)
        or abs(value) > 1e6
        or abs(slope) > 1e6
        or value.imag
        or slope.imag
    ):
        return None
    arguments = [
        "-e",
        equation,
        "--unknowns",
        "y",
        "--inputs",
        "x",
        "--at",
        f"x={x},y={y},c={value.real!r}",
        "--solve-for",
        "y",
        "-f",
        "json",
    ]
    result = call(folder, "solve", *arguments)
    if wrong := solve_error(result):
        return f"{wrong} ({equation})"
    if result.returncode:
        return None  # refused, with a reason
    entry = json.loads(result.stdout)["dy_dx"][0][0]
    if isinstance(entry, (int, float)) and abs(entry - slope.real) > 1e-6 * max(1, abs(slope.real)):
        return f"dy/dx = {entry}, sympy says {slope.real} ({equation} at {x}, {y})"
    return None


PROPERTIES: list[Callable[[random.Random, Path], str | None]] = [
    text_is_answered_or_refused,
    formats_agree,
    doubles_are_within_their_bounds,
    an_answer_holds_and_perturbed_fails,
    hostile_names_are_escaped,
    equations_agree_with_sympy,
]


def trial(seed: int) -> tuple[str, str | None]:
    """Run the trial of this seed; returns the property's name, and what is wrong or None."""
    rng = random.Random(seed)
    holds = PROPERTIES[seed % len(PROPERTIES)]
    with tempfile.TemporaryDirectory() as folder:
        try:
            return holds.__name__, holds(rng, Path(folder))
        except Exception:
            return holds.__name__, traceback.format_exc()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("minutes", type=float, nargs="?", default=1.0)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--trial", type=int, metavar="SEED", help="repeat one trial")
    asked = parser.parse_args()
    if asked.trial is not None:
        print(*trial(asked.trial))
        return 0
    counts: Counter[str] = Counter()
    failures = 0
    end = time.monotonic() + 60 * asked.minutes
    seed = asked.seed
    while time.monotonic() < end:
        name, wrong = trial(seed)
        counts[name] += 1
        if wrong is not None:
            failures += 1
            print(f"trial {seed}, {name}: {wrong}", flush=True)
        seed += 1
    for name, number_of_trials in counts.items():
        print(f"{number_of_trials:8} {name}")
    print(f"{failures} of {sum(counts.values())} trials failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
