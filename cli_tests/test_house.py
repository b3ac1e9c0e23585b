"""The house: which part may import which, and what a run loads."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "implicitgrad"
FLOORS = [  # from the ground up; a part may import what is below it
    {"characters"},
    {"errors"},
    {"rational"},
    {"rational_matrix", "expressions"},
    {"doubles", "symbolic", "mistaken_names"},
    {"notation", "part", "values"},
    {"system"},
    {"work"},
    {"draft"},
    {"solution"},
    {"requirement"},
    {"claims"},
    {"verdict"},
    {"readers", "solvers", "writers"},  # which never import one another
    {"limits"},
    {"judges", "batch"},
    {"pool"},
    {"cli"},
    {"__init__", "__main__"},
]
THIRD_PARTY = {
    "click": {"cli"},
    "rich": {"cli", "writers/table", "writers/report", "writers/picture", "writers/summary"},
    "yaml": {"readers/yaml"},
    "sympy": {"symbolic", "solvers/symbolic", "solvers/special_cases"},
    "mpmath": {"symbolic", "solvers/profile", "solvers/special_cases"},
    "flint": {"solvers/flint_reduction"},
    "distributed": {"cli/cluster"},
    "numpy": {"doubles", "solvers", "readers/npy", "readers/decimals"}
    | {f"writers/{file}" for file in ("arrays", "stack", "entries", "losses", "picture", "scale", "summary")},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(name: str) -> str:
    return name.split(".")[1] if "." in name else "__init__"


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows_run_downward_only(path: Path) -> None:
    relative = path.relative_to(PACKAGE).with_suffix("").as_posix()
    part = relative.split("/")[0]
    floor = next(number for number, parts in enumerate(FLOORS) if part in parts)
    for name in imports(path):
        root = name.split(".")[0]
        if root == "implicitgrad":
            other = part_of(name)
            if other == "__init__":  # the version
                continue
            below = next(number for number, parts in enumerate(FLOORS) if other in parts)
            assert other == part or below < floor, f"{relative} imports {name}"
            assert part != "writers" or other not in ("system", "draft"), f"{relative} imports {name}"
        if root in THIRD_PARTY:
            allowed = THIRD_PARTY[root]
            assert part in allowed or relative in allowed, f"{relative} imports {name}"


def loaded(*arguments: str, folder: Path, whole: bool = False) -> set[str]:
    """The modules that a run of the program imports, by their first names or whole."""
    (folder / "small.yaml").write_text("A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\n")
    (folder / "small.csv").write_text("1,2\n3,4\n")
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "implicitgrad", *arguments],
        cwd=folder, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    lines = [line for line in result.stderr.splitlines() if line.startswith("import time:")]
    assert len(lines) > 20
    names = {line.rpartition("|")[2].strip() for line in lines}
    return names if whole else {name.split(".")[0] for name in names}


@pytest.mark.parametrize("source", [["small.yaml"], ["small.csv"], ["-A", "1 2; 3 4"]], ids=["yaml", "csv", "inline"])
def test_a_small_text_system_loads_neither_numpy_nor_with_json_rich(source: list[str], tmp_path: Path) -> None:
    as_json = loaded("solve", *source, "--format", "json", folder=tmp_path)
    assert not as_json & {"numpy", "rich"}
    assert ("yaml" in as_json) == (source == ["small.yaml"])
    as_table = loaded("solve", *source, folder=tmp_path)
    assert "rich" in as_table
    assert "numpy" not in as_table


@pytest.mark.parametrize(
    "arguments",
    [["small.yaml"], ["-A", "1 2; 3 4", "-g", "1 1"], ["-e", "x = 2*y", "--unknowns", "y"], ["-A", "1 2", "--steps"]],
    ids=str,
)
def test_numbers_load_no_sympy(arguments: list[str], tmp_path: Path) -> None:
    assert not loaded("solve", *arguments, folder=tmp_path) & {"sympy", "mpmath"}


def test_letters_load_sympy(tmp_path: Path) -> None:
    assert "sympy" in loaded("solve", "-A", "1 a", folder=tmp_path)


def test_solving_loads_no_judge_and_no_other_command(tmp_path: Path) -> None:
    modules = loaded("solve", "small.yaml", folder=tmp_path, whole=True)
    assert "implicitgrad.cli.systems" in modules
    parts = {".".join(name.split(".")[1:3]) for name in modules if name.startswith("implicitgrad.")}
    assert not parts & {"judges", "claims", "verdict", "cli.walk", "writers.report", "readers.npy"}


def test_checking_loads_numpy_only_for_arrays(tmp_path: Path) -> None:
    assert not loaded("check", "small.yaml", folder=tmp_path) & {"numpy", "xml", "difflib"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_the_overview_loads_not_even_click(arguments: list[str], tmp_path: Path) -> None:
    assert not loaded(*arguments, folder=tmp_path) & {"click", "numpy", "rich", "yaml", "fractions", "dataclasses"}


@pytest.mark.parametrize("command", ["solve", "check"])
def test_a_commands_help_loads_no_numerics_and_no_formats(command: str, tmp_path: Path) -> None:
    assert not loaded(command, "--help", folder=tmp_path) & {"numpy", "rich", "yaml"}


def test_public_names_are_there_and_no_others() -> None:
    import implicitgrad

    for name in implicitgrad.__all__:
        assert getattr(implicitgrad, name).__module__.startswith("implicitgrad.")
    assert set(implicitgrad.__all__) == set(implicitgrad._HOME)
    assert set(implicitgrad.__all__) <= set(dir(implicitgrad))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = implicitgrad.nonsense
