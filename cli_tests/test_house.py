"""The house: which room may import which, and what a run loads."""

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from conftest import ROOT, only_thorough, spread

import implicitgrad
from implicitgrad.readers.sources import BY_SUFFIX, InputFormat
from implicitgrad.readers.sources import FORMATS as INPUT_FORMATS
from implicitgrad.writers.formats import FORMATS, PLAIN, Format
from implicitgrad.writers.options import WriteOptions

PACKAGE = ROOT / "implicitgrad"
FLOORS = [  # from the ground up; a room may import what is below it
    {"text"},
    {"symbolic", "terminal"},
    {"numbers"},
    {"model"},
    {"readers", "solvers", "writers"},  # which never import one another
    {"checks"},
    {"batch", "api"},
    {"cli", "__init__"},
    {"__main__"},
]
MAX_ROOMS = 16
THIRD_PARTY = {
    "click": {"cli"},
    "rich": {
        "cli/guide",
        "terminal/spinner",
        "batch/progress",
        "writers/screen",
        "writers/reports/report",
    },
    "yaml": {"readers/yaml/nodes", "readers/yaml/faults"},
    "sympy": {"symbolic", "solvers/symbolic"},
    "mpmath": {"symbolic", "solvers/symbolic/special_cases"},
    "flint": {"numbers/flint_reduction"},
    "quadprog": {"solvers/program/guess"},
    "distributed": {"batch/workers/cluster"},
    "scipy": {"numbers/sparse", "solvers/sparse"},
    "numpy": {
        "numbers/ball",
        "numbers/doubles",
        "numbers/sparse",
        "solvers/floating",
        "solvers/program/doubles",
        "solvers/program/guess",
        "solvers/program/convexity",
        "solvers/derived/second_order",
        "checks/feasibility/floating",
        "checks/derivatives/sparse",
        "readers/arrays/npy",
        "readers/arrays/npz",
        "readers/arrays/npz_program",
        "readers/systems/rounded_display",
        "readers/arrays/python_stacks",
        "readers/arrays/stacks",
        "solvers/stacks",
        "batch/answers/stacks",
        "checks/stack",
        "readers/arrays/decimals",
        "readers/arrays/sparse_npz",
        "readers/arrays/triplets",
        "solvers/sparse",
    }
    | {"writers/data/npy", "writers/data/npz", "writers/program/numpy_files"}
    | {f"writers/screen/{file}" for file in ("scaled_matrix", "heat_map", "summary")},
}


@cache
def files() -> tuple[str, ...]:
    """The package's files as paths below it, without their suffix."""
    return tuple(sorted(path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py")))


def room_of(file: str) -> str:
    return file.split("/")[0]


def floor_of(file: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room_of(file) in rooms)


@cache
def tree_of(file: str) -> ast.Module:
    return ast.parse((PACKAGE / f"{file}.py").read_text("utf-8"))


@cache
def nodes_of(file: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree_of(file)))


@cache
def imports(file: str) -> frozenset[tuple[str, str]]:
    """Return the modules that a file imports, each with a name out of it or "", in functions and for types, too."""
    found = set()
    for node in nodes_of(file):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found |= {(node.module or "", alias.name) for alias in node.names}
    return frozenset(found)


@cache
def own_imports(file: str) -> frozenset[str]:
    """The files of the package that a file imports."""
    known, found = set(files()), set()
    for module, name in imports(file):
        if module.split(".")[0] == "implicitgrad":
            path = "/".join(module.split(".")[1:])
            places = [f"{path}/{name}", path, f"{path}/{name}/__init__", f"{path}/__init__" if path else "__init__"]
            found.add(next(place.strip("/") for place in places if place.strip("/") in known))
    return frozenset(found - {file})


def test_imports_run_downward_only() -> None:
    for file in files():
        for other in own_imports(file):
            assert room_of(other) == room_of(file) or floor_of(other) < floor_of(file), f"{file} imports {other}"
        for module, _ in imports(file):
            root = module.split(".")[0]
            if root in THIRD_PARTY:
                places = {file, room_of(file), file.rpartition("/")[0]}
                assert places & THIRD_PARTY[root], f"{file} imports {module}"


def test_no_files_import_one_another_in_a_circle() -> None:
    is_done: set[str] = set()

    def visit(file: str, above: tuple[str, ...]) -> None:
        assert file not in above, " → ".join((*above[above.index(file) :], file))
        if file not in is_done:
            for other in own_imports(file):
                visit(other, (*above, file))
            is_done.add(file)

    for file in files():
        visit(file, ())


def test_the_house_has_few_rooms() -> None:
    rooms = {room_of(file) for file in files()}
    assert rooms == set().union(*FLOORS)
    assert len(rooms) <= MAX_ROOMS


def test_no_two_classes_have_one_name() -> None:
    homes: dict[str, list[str]] = {}
    for file in files():
        for node in nodes_of(file):
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name.lstrip("_"), []).append(file)
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}


def test_a_rooms_init_has_no_code() -> None:
    for file in files():
        if file.endswith("/__init__"):
            tree = tree_of(file)
            assert ast.get_docstring(tree), f"{file}: expected a docstring"
            assert len(tree.body) == 1, f"{file}: expected a docstring alone"


def test_names_of_formats_stand_in_the_registry_alone() -> None:
    of_output = set(FORMATS) | {".md", ".tex", ".txt"}
    for file in files():
        if file not in ("readers/sources", "writers/formats", "cli/guide"):  # the guide's pages are Markdown files
            texts = {node.value for node in nodes_of(file) if isinstance(node, ast.Constant)}
            assert not texts & of_output, file


def test_suffixes_of_input_stand_in_the_registries_alone() -> None:
    for file in files():
        if file not in (
            "readers/sources",
            "writers/formats",
            "readers/arrays/npz",
        ):  # an archive's members have suffixes too
            texts = {node.value for node in nodes_of(file) if isinstance(node, ast.Constant)}
            assert not texts & set(BY_SUFFIX), file


@pytest.mark.parametrize("one", INPUT_FORMATS, ids=lambda one: one.suffixes[0])
def test_each_input_format_has_its_reader(one: InputFormat) -> None:
    reader = one.load()
    assert callable(reader.read_systems)
    assert callable(getattr(reader, "read_matrix", None)) != one.is_stream


@pytest.mark.parametrize("one", FORMATS.values(), ids=lambda one: one.name)
def test_each_format_writes_an_answer(one: Format) -> None:
    solution = implicitgrad.solve([["1", "2"], ["3", "4"]], ["1", "1"])
    assert isinstance(one.write(solution, WriteOptions()), str) == one.is_text
    assert one.suffixes or one.name == PLAIN
    assert one.is_text or one.separator is None


@cache
def loaded(*arguments: str) -> frozenset[str]:
    """The modules and packages that a run of the program imports."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "small.yaml").write_text("A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\n")
        (Path(folder) / "small.csv").write_text("1,2\n3,4\n")
        (Path(folder) / "small.mtx").write_text("%%MatrixMarket matrix array integer general\n2 2\n1\n3\n2\n4\n")
        np.save(Path(folder) / "small.npy", np.eye(3))
        result = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "implicitgrad", *arguments],
            cwd=folder, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
    lines = [line for line in result.stderr.splitlines() if line.startswith("import time:")]
    assert len(lines) > 20
    return frozenset(line.rpartition("|")[2].strip() for line in lines)


def test_the_way_from_a_file_to_a_table_is_short() -> None:
    names = [name for name in loaded("solve", "small.yaml") if name.partition(".")[0] == "implicitgrad"]
    files = [ROOT / f"{name.replace('.', '/')}.py" for name in names]
    lines = [len(path.read_text("utf-8").splitlines()) for path in files if path.exists()]
    assert 20 < len(lines) <= 30
    assert 3000 < sum(lines) <= 3800


@pytest.mark.parametrize(
    "source",
    spread([["small.yaml"], ["-A", "1 2; 3 4"], ["small.csv"], ["small.mtx"]], 2),
    ids=spread(["yaml", "inline", "csv", "mtx"], 2),
)
def test_a_small_text_system_loads_neither_numpy_nor_with_json_rich(source: list[str]) -> None:
    as_json = loaded("solve", *source, "--format", "json")
    assert not as_json & {"numpy", "rich"}
    assert ("yaml" in as_json) == (source == ["small.yaml"])
    as_table = loaded("solve", *source)
    assert "rich" in as_table
    assert "numpy" not in as_table


@pytest.mark.parametrize(
    "arguments",
    [["small.yaml"], ["-A", "1 2; 3 4", "-g", "1 1"], ["-e", "x = 2*y", "--unknowns", "y"], ["-A", "1 2", "--steps"]],
    ids=str,
)
def test_numbers_load_no_sympy(arguments: list[str]) -> None:
    assert not loaded("solve", *arguments) & {"sympy", "mpmath"}


@only_thorough
def test_letters_load_sympy() -> None:
    assert "sympy" in loaded("solve", "-A", "1 a")


def test_solving_loads_no_judge_and_no_other_command() -> None:
    modules = loaded("solve", "small.yaml")
    assert "implicitgrad.cli.options.shared" in modules
    parts = {".".join(name.split(".")[1:3]) for name in modules if name.startswith("implicitgrad.")}
    assert not parts & {"checks", "model.claims", "model.verdict", "batch", "writers.reports", "readers.arrays"}


def test_arrays_with_their_zeros_load_no_scipy() -> None:
    assert not loaded("solve", "small.npy") & {"scipy"}


@pytest.mark.parametrize("arguments", [["-A", "1 2; 3 4", "-g", "[[1, 1]]"], ["small.yaml"]], ids=str)
def test_plain_rows_load_no_notations_of_other_programs(arguments: list[str]) -> None:
    assert not loaded("solve", *arguments) & {
        f"implicitgrad.readers.printed.{file}" for file in ("pasted", "dialects", "cells", "rewriting")
    }


def test_checking_loads_numpy_only_for_arrays() -> None:
    assert not loaded("check", "small.yaml") & {"numpy", "xml", "difflib"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_the_overview_loads_not_even_click(arguments: list[str]) -> None:
    assert not loaded(*arguments) & {"click", "numpy", "rich", "yaml", "fractions", "dataclasses"}


@pytest.mark.parametrize("command", ["solve", "check"])
def test_a_commands_help_loads_no_numerics_and_no_formats(command: str) -> None:
    assert not loaded(command, "--help") & {"numpy", "rich", "yaml"}


def test_public_names_are_there_and_no_others() -> None:
    for name in implicitgrad.__all__:
        assert getattr(implicitgrad, name).__module__.startswith("implicitgrad.")
    found = sorted(name for names in implicitgrad._NAMES.values() for name in names)
    assert sorted([*implicitgrad.__all__, "__version__"]) == found
    assert set(implicitgrad.__all__) <= set(dir(implicitgrad))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = implicitgrad.nonsense
