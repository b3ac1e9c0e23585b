"""Every sample system answers as its own `expect` says."""

import json
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, Run, is_program, spread

import implicitgrad
from implicitgrad import Solution, read_systems, solve
from implicitgrad.__main__ import run as run_in_process

FOLDER = ROOT / "sample_systems"


def samples(*, of_programs: bool = False) -> Iterator[Any]:
    for path in sorted(FOLDER.iterdir()):
        if is_program(path) is not of_programs:
            continue
        text = path.read_text("utf-8")
        if path.suffix == ".csv":
            lines = [line for line in text.splitlines() if line.startswith("# expect: ")]
            expectations = [yaml.safe_load(line.removeprefix("# expect: ")) for line in lines]
        else:
            expectations = [document["expect"] for document in yaml.safe_load_all(text)]
        for number, expect in enumerate(expectations):
            yield pytest.param(path, number, expect, id=f"{path.name}#{number + 1}")


def texts(value: Any) -> Any:
    if isinstance(value, list):
        return [texts(item) for item in value]
    return value if value is None else str(value)


def fractions(value: Any) -> Any:
    return tuple(fractions(item) for item in value) if isinstance(value, list) else Fraction(str(value))


def test_there_are_at_least_twelve_each_with_a_comment_that_says_where_it_comes_from() -> None:
    paths = list(FOLDER.iterdir())
    assert len(paths) >= 12
    assert {path.suffix for path in paths} == {".yaml", ".csv"}
    for path in paths:
        assert path.read_text("utf-8").startswith("# "), path


@pytest.mark.parametrize(("path", "number", "expect"), list(samples()))
def test_a_sample_is_what_it_expects(path: Path, number: int, expect: dict[str, Any]) -> None:
    solution: Solution = solve(read_systems(path)[number])
    if str(solution.arithmetic) != "exact":  # letters, and Newton's method: check() knows what is equal
        matrices = {key: texts(claim) for key, claim in expect.items() if key in ("dy_dx", "dL_dx")}
        assert implicitgrad.check(solution.system, **(expect | matrices))
        return
    constraints = solution.constraints
    found = {
        "status": str(solution.status),
        "rank": solution.rank,
        "dy_dx": solution.dy_dx,
        "dL_dx": solution.dL_dx,
        "dL_dA": solution.dL_dA,
        "dL_dB": solution.dL_dB,
        "free_parameters": list(solution.free_parameters),
        "dL_dx_unique": all(solution.unique_losses),
        "constraints": constraints and {"dependent": list(constraints.dependent), "matrix": constraints.matrix},
    }
    assert "status" in expect
    assert len(expect) >= 2
    for key, claim in expect.items():
        if key in ("dy_dx", "dL_dx", "dL_dA", "dL_dB"):
            claim = fractions(claim)
        elif key == "constraints":
            claim = claim | {"matrix": fractions(claim["matrix"])}
        assert found[key] == claim, key


@pytest.mark.parametrize(("path", "number", "expect"), list(samples(of_programs=True)))
def test_a_program_is_what_it_expects(run: Run, path: Path, number: int, expect: dict[str, Any]) -> None:
    record = json.loads(run("solve", str(path), "-fjson").stdout.splitlines()[number])
    exact = record["exact"]
    assert "status" in expect
    assert len(expect) >= 2
    for key, claim in expect.items():
        if key in ("status", "active"):
            assert record[key] == claim, key
        elif isinstance(claim, dict):
            of, parameter = key.split("_d")
            sides = [exact["one_sided"][name] for name in names_of(parameter, record)]
            for side, value in claim.items():
                found = [one[side][of] for one in sides]
                rows = [list(row) for row in zip(*found, strict=True)] if of == "dz" else found
                assert rows == texts(value), (key, side)
        else:
            assert exact[key] == texts(claim), key


def names_of(parameter: str, record: dict[str, Any]) -> list[str]:
    """The names of the letters, of h, or of q, lb or ub."""
    names = {"x": record.get("inputs"), "h": record["names"]["G"]}
    return names.get(parameter) or [f"{parameter}[{z}]" for z in record["names"]["z"]]


def test_the_kkt_sample_reproduces_the_books_solution() -> None:
    """Nocedal & Wright, example 16.2: z = (2, −1, 1), λ = (3, −2)."""
    (system,) = read_systems(FOLDER / "kkt_quadratic_program.yaml")
    J = solve(system).general.particular
    inputs = (-8, -3, -3, 3, 0)
    assert [sum(a * b for a, b in zip(row, inputs, strict=True)) for row in J] == [2, -1, 1, 3, -2]


def test_the_leontief_sample_reproduces_the_books_production() -> None:
    """Lay, section 2.6: a final demand of (50, 30, 20) takes a production of about (226, 119, 78)."""
    (system,) = read_systems(FOLDER / "leontief.yaml")
    J = solve(system).general.particular
    assert [round(sum(a * b for a, b in zip(row, (50, 30, 20), strict=True))) for row in J] == [226, 119, 78]


def claimed_numbers(path: Path) -> Iterator[tuple[str, int, int]]:
    """Each number that a sample expects: the entry's name, and where its text starts and ends."""
    text = path.read_text("utf-8")
    if path.suffix == ".csv":
        start = text.index("# expect: ") + len("# expect: ")
        line = text[start : text.index("\n", start)]
        roots = [(yaml.compose(line), start)]
    else:
        mappings = [{key.value: value for key, value in root.value} for root in yaml.compose_all(text)]
        roots = [(mapping["expect"], 0) for mapping in mappings]
    for root, start in roots:
        for name, node in scalars(root, ""):
            if re.fullmatch(r"-?[0-9.]+(/[0-9]+)?", node.value):
                yield name, start + node.start_mark.index, start + node.end_mark.index


def scalars(node: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from scalars(value, f"{name}.{key.value}" if name else key.value)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield from scalars(value, f"{name}[{i + 1}]")
    else:
        yield name, node


def test_the_samples_hold_as_they_are(run: Run) -> None:
    result = run("check", str(FOLDER), "--strict")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.search(r"\n[0-9]+ claims about 38 systems: ([0-9]+) hold, 0 fail\n$", result.stdout)


@pytest.mark.parametrize("path", spread(sorted(FOLDER.iterdir()), 3), ids=lambda path: path.name)
def test_any_one_number_flipped_in_what_a_sample_expects_fails_and_is_named(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = path.read_text("utf-8")
    numbers = list(claimed_numbers(path))
    assert numbers or "cos(t)" in text or "status: infeasible" in text
    for name, start, end in spread(numbers[:: 1 + len(numbers) // 20], 5):
        value = Fraction(text[start:end])
        for flipped in (-value or 1, value + 1):
            changed = tmp_path / path.name
            changed.write_text(f"{text[:start]}{flipped}{text[end:]}", "utf-8")
            code = run_in_process(["check", str(changed)])
            printed, errors = capsys.readouterr()
            assert (code, errors) == (1, ""), (name, flipped)
            table, _, failures = printed.partition("\n\n")
            assert table.count("FAILS") >= 1
            assert name in failures, (name, flipped)


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_the_command_solves_every_sample(run: Run, path: Path) -> None:
    for form in ("table", "json"):
        result = run("solve", str(path), "--format", form)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout
