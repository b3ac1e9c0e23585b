"""Stacks in NumPy's files: a system for each index of the leading axes, by name and by choice."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Run

from implicitgrad import InputError, read_systems
from implicitgrad.batch.inputs import stack_parts
from implicitgrad.batch.inputs.stack_parts import count_systems, parts_of
from implicitgrad.batch.task import Item

A = np.array([[[2.0, 0.0], [0.0, 4.0]], [[1.0, 2.0], [2.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]])
G = np.array([[1.0, 1.0], [1.0, 2.0], [3.0, 5.0]])
FOUR = np.arange(1.0, 25.0).reshape(2, 3, 2, 2) + 50 * np.eye(2)


def problems(path: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_systems(path)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("is_archive", [False, True])
def test_each_system_is_named_by_its_index_from_0(tmp_path: Path, is_archive: bool) -> None:
    path = tmp_path / ("four.npz" if is_archive else "four.npy")
    np.savez(path, A=FOUR) if is_archive else np.save(path, FOUR)
    systems = read_systems(path)
    assert [system.name for system in systems] == [f"four[{i},{j}]" for i in range(2) for j in range(3)]
    assert [system.source for system in systems][4] == f"{path}[1,1]"
    assert [np.asarray(system.A).tolist() for system in systems] == FOUR.reshape(6, 2, 2).tolist()


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("[1,2]", [(1, 2)]),
        ("[ -1 , 0 ]", [(1, 0)]),
        ("[1]", [(1, 0), (1, 1), (1, 2)]),
        ("[:,1]", [(0, 1), (1, 1)]),
        ("[0,::-2]", [(0, 2), (0, 0)]),
        ("[0:1,1:]", [(0, 1), (0, 2)]),
        ("[2,0]", "expected an index from 0 to 1, got 2"),
        ("[0,-4]", "expected an index from 0 to 2, got -4"),
        ("[0,0,0]", "expected at most 2 indices, got 3"),
        ("[]", "expected an index such as 17, or 0:3, got ''"),
        ("[1.5]", "expected an index such as 17, or 0:3, got '1.5'"),
        ("[1 2]", "expected an index such as 17, or 0:3, got '1 2'"),
        ("[x]", "expected an index such as 17, or 0:3, got 'x'"),
        ("[0,3:]", "3: selects no system of 3"),
        ("[::0]", "expected a step other than 0"),
    ],
)
def test_an_index_behind_the_name_selects_systems(
    tmp_path: Path, choice: str, expected: list[tuple[int, int]] | str
) -> None:
    np.save(tmp_path / "four.npy", FOUR)
    source = f"{tmp_path / 'four.npy'}{choice}"
    if isinstance(expected, str):
        assert problems(source) == [f"{source}: {expected}; the stack has the shape 2×3"]
    else:
        assert [np.asarray(system.A).tolist() for system in read_systems(source)] == [
            FOUR[index].tolist() for index in expected
        ]


def test_what_is_no_stack_has_nothing_to_select(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", A[0])
    np.savez(tmp_path / "p.npz", P=np.eye(2), q=np.ones(2))
    one, program = f"{tmp_path}/a.npy", f"{tmp_path}/p.npz"
    message = f"expected a stack of systems, got one system; it is {one}, without [0]"
    assert problems(f"{one}[0]") == [f"{one}[0]: {message}"]
    assert problems(f"{program}[0]") == [f"{program}[0]: expected a stack of linear systems, got a quadratic program"]


SHAPES: list[tuple[dict[str, Any], dict[str, Any] | str]] = [
    ({"dL_dy": G}, {"dL_dy": G[:, None]}),
    ({"dL_dy": G[0]}, {"dL_dy": [[G[0]]] * 3}),
    ({"dL_dy": np.stack([G, -G], 1)}, {"dL_dy": np.stack([G, -G], 1)}),
    ({"dL_dy": G[None]}, {"dL_dy": [G] * 3}),
    ({"B": A[2]}, {"B": [A[2]] * 3}),
    ({"B": A[:, :, :1]}, {"B": A[:, :, :1]}),
    ({"dL_dy": G[:2]}, "dL_dy: expected 3×N or 3×K×N beside a stack of 3 systems, or N for all of them; got the shape "
     "2×2. dL_dy[None] is several losses of every system"),
    ({"B": A[:2]}, "B: expected 3×M×P beside a stack of 3 systems, or M×P for all of them; got the shape 2×2×2"),
    ({"dL_dy": G[None, None]}, "dL_dy: expected 3×N or 3×K×N beside a stack of 3 systems, or N for all of them; got "
     "the shape 1×1×3×2"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "expected"), SHAPES)
def test_the_number_of_axes_says_what_a_value_is(
    tmp_path: Path, values: dict[str, Any], expected: dict[str, Any] | str
) -> None:
    path = tmp_path / "s.npz"
    np.savez(path, A=A, **values)
    if isinstance(expected, str):
        assert problems(str(path)) == [f"{path}: {expected}"]
    else:
        ((key, wanted),) = expected.items()
        found = [getattr(system, key) for system in read_systems(path)]
        assert [np.asarray(one).tolist() for one in found] == np.asarray(wanted).tolist()


def test_one_gradient_a_system_wins_where_the_number_of_losses_would_fit_too(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", A=A[:2], dL_dy=G[:2])
    assert [system.has_one_loss for system in read_systems(tmp_path / "s.npz")] == [True, True]


@pytest.mark.parametrize("kind", [">f8", "f4", "i4", "F"])
def test_other_types_and_orders_mean_the_same_numbers(tmp_path: Path, kind: str) -> None:
    array = np.asfortranarray(A) if kind == "F" else A.astype(kind)
    np.save(tmp_path / "a.npy", array)
    assert [np.asarray(system.A).tolist() for system in read_systems(tmp_path / "a.npy")] == A.tolist()


def test_solve_names_the_systems_and_takes_one(run: Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", A=A, dL_dy=G)
    result = run("solve", "s.npz", "--format", "json")
    records = list(map(json.loads, result.stdout.splitlines()))
    assert (result.returncode, result.stderr) == (0, "")
    assert [(one["name"], one["source"]) for one in records] == [(f"s[{k}]", f"s.npz[{k}]") for k in range(3)]
    one = run("solve", "s.npz[2]", "--format", "json")
    assert (one.returncode, one.stderr, one.stdout) == (0, "", result.stdout.splitlines(keepends=True)[2])
    table = run("solve", "s.npz[0]")
    assert table.stdout == (
        "s.npz[0]   x = A·y   2 equations, 2 unknowns\n"
        "determined: rank 2 of 2, condition ≈2.5, float, error 0\n\n"
        "  ∂y/∂x     x1     x2\n ────────────────────\n  y1      0.50   0\n  y2      0      0.25\n\n"
        "  ∂L/∂x   0.50   0.25\n"
    )


def test_options_give_arrays_with_the_same_leading_axes(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", A[[0, 2]])
    np.save(tmp_path / "g.npy", G[[0, 2]])
    np.save(tmp_path / "claim.npy", [[0.5, 0.25], [1.5, 9.0]])
    expected = [np.linalg.solve(a.T, g).round(6).tolist() for a, g in zip(A[[0, 2]], G[[0, 2]], strict=True)]
    for arguments in (["a.npy"], ["-A", "@a.npy"]):
        result = run("solve", *arguments, "-g", "@g.npy", "--format", "json")
        records = list(map(json.loads, result.stdout.splitlines()))
        assert [np.round(record["dL_dx"], 6).tolist() for record in records] == expected
    result = run("check", "a.npy", "-g", "@g.npy", "--dldx", "@claim.npy", "-q")
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.startswith("a.npy[1]: dL_dx (claim.npy) fails: 1 of 2 entries\n")
    result = run("solve", "a.npy", "-g", "1 1; 0 1", "-f", "plain")  # a text is the same for all systems
    assert (result.stdout.count("dL1_dx[x1]"), result.stdout.count("dL2_dx[x1]")) == (2, 2)
    result = run("solve", "a.npy", "-B", "@g.npy", "-f", "json")
    assert [json.loads(line)["shape"]["inputs"] for line in result.stdout.splitlines()] == [2, 2]
    np.save(tmp_path / "g3.npy", np.ones((3, 2)))
    result = run("solve", "a.npy", "-g", "@g3.npy")
    assert (result.returncode, result.stdout, result.stderr) == (
        2,
        "",
        "implicitgrad: g3.npy: dL_dy: expected 2×N or 2×K×N beside a stack of 2 systems, or N for all of them; got "
        "the shape 3×2. dL_dy[None] is several losses of every system\n",
    )
    np.save(tmp_path / "g3.npy", np.ones((1, 3, 2)))
    result = run("solve", "-A", "1 2; 3 4", "-g", "@g3.npy")
    assert (result.returncode, result.stdout, result.stderr) == (
        2,
        "",
        "implicitgrad: g3.npy: dL_dy: expected N or K×N beside one system, got the shape 1×3×2. Leading axes are "
        "for a stack, an A of shape S×M×N\n",
    )


def test_claims_have_the_leading_axes_too(run: Run, tmp_path: Path) -> None:
    inverse = np.linalg.inv(A[[0, 2]])
    claims: dict[str, Any] = {
        "dy_dx": inverse, "dL_dx": np.einsum("si,sij->sj", G[[0, 2]], inverse), "status": ["determined"] * 2,
        "rank": 2, "dL_dx_unique": [True, True], "free_parameters": 0, "condition_max": [3.0, 2.0],
    }  # fmt: skip
    np.savez(tmp_path / "s.npz", A=A[[0, 2]], dL_dy=G[[0, 2]], **{f"expect_{key}": one for key, one in claims.items()})
    names = {"expect_free_parameters": ["dy1/dx1"], "expect_constraints_dependent": ["x2"]}
    np.savez(tmp_path / "rank.npz", A=A[[1, 1]], **names, expect_constraints_matrix=[[[2.0]], [[3.0]]])
    result = run("check", ".", "--format", "json")
    verdicts = {
        record["source"]: [one["claim"] for one in record["claims"] if not one["holds"]]
        for record in map(json.loads, result.stdout.splitlines())
    }
    assert (result.returncode, result.stderr) == (1, "")
    assert verdicts == {"rank.npz[0]": [], "rank.npz[1]": ["constraints"], "s.npz[0]": [], "s.npz[1]": ["condition"]}
    np.savez(tmp_path / "bad.npz", A=A, expect_rank=[2, 2])
    message = "rank: expected 3 beside a stack of 3 systems, or one value for all of them; got the shape 2"
    assert problems(f"{tmp_path}/bad.npz") == [f"{tmp_path}/bad.npz: {message}"]


def test_a_system_that_is_none_is_named_and_leaves_the_others_to_batch(run: Run, tmp_path: Path) -> None:
    array = A.copy()
    array[2, 0, 1] = np.nan
    np.save(tmp_path / "a.npy", array)
    result = run("solve", "a.npy")
    message = "a.npy[2]: A[1][2]: expected a finite number, got nan\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"implicitgrad: {message}")
    assert run("solve", "a.npy[:2]").returncode == 0
    result = run("batch", "a.npy", "-o", "out.npz", "-q")
    with np.load(tmp_path / "out.npz") as found:
        assert (result.returncode, found["status"].tolist()) == (2, ["determined", "rank-deficient", "error"])
        assert np.isnan(found["dy_dx"]).all(axis=(1, 2)).tolist() == [False, True, True]


def test_batch_gives_arrays_of_the_same_leading_shape(run: Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "four.npz", A=FOUR, dL_dy=np.ones(2))
    result = run("batch", "four.npz", "-o", "out.npz")
    assert (result.returncode, result.stderr) == (0, "implicitgrad: 6 systems: 6 determined\n")
    with np.load(tmp_path / "out.npz") as found:
        assert {key: array.shape for key, array in found.items()} == {
            "source": (2, 3), "status": (2, 3), "shape": (2, 3, 3), "rank": (2, 3), "condition": (2, 3),
            "error_bound": (2, 3, 2), "dy_dx": (2, 3, 2, 2), "dL_dx": (2, 3, 2),
        }  # fmt: skip
        assert found["source"][1, 2] == "four.npz[1,2]"
        assert np.allclose(found["dy_dx"], np.linalg.inv(FOUR), rtol=1e-12)
        assert np.allclose(found["dL_dx"], np.linalg.inv(FOUR).sum(axis=-2), rtol=1e-12)
        assert (found["error_bound"] < 1e-12).all()
    assert run("batch", "four.npz[0,1:]", "-o", "out.npz", "-q").returncode == 0
    with np.load(tmp_path / "out.npz") as found:
        assert found["source"].tolist() == ["four.npz[0,1]", "four.npz[0,2]"]


def test_batch_resumes_a_stack_and_writes_a_file_for_each_system(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "four.npy", FOUR)
    assert run("batch", "four.npy", "-o", "r.jsonl", "-q").returncode == 0
    first = (tmp_path / "r.jsonl").read_bytes()
    result = run("batch", "four.npy", "-o", "r.jsonl", "--resume")
    assert result.stderr == "implicitgrad: 6 systems: 6 determined; 6 kept from before\n"
    assert (tmp_path / "r.jsonl").read_bytes() == first
    assert run("batch", "four.npy", "--output-dir", "out", "-q").returncode == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith("."))
    assert names == [f"four-{i}-{j}.json" for i in range(2) for j in range(3)]


def test_the_file_of_a_selected_system_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", A)
    before = (tmp_path / "a.npy").read_bytes()
    result = run("solve", "a.npy[0]", "-o", "a.npy")
    assert (result.returncode, result.stdout, result.stderr) == (
        2,
        "",
        "implicitgrad: --output a.npy is the input; expected another file\n",
    )
    assert (tmp_path / "a.npy").read_bytes() == before
    assert run("solve", "b.npy[0]").stderr == "implicitgrad: b.npy: cannot be read: No such file or directory\n"


@pytest.mark.parametrize("losses", [None, (), (3,)])
@pytest.mark.parametrize("has_B", [False, True])
def test_the_numbers_of_a_stack_solved_together_are_those_of_each_system(
    run: Run, tmp_path: Path, losses: tuple[int, ...] | None, has_B: bool
) -> None:
    rng = np.random.default_rng(5)
    values: dict[str, Any] = {"A": rng.normal(size=(2, 20, 3, 3))}
    values["A"][1, 7] = 1
    values["A"][0, 3, 0, 0] = np.nan
    values["A"][0, 4] *= 1e-300
    if losses is not None:
        values["dL_dy"] = rng.normal(size=(2, 20, *losses, 3))
    if has_B:
        values["B"] = rng.normal(size=(2, 20, 3, 2))
    np.savez(tmp_path / "s.npz", **values)
    assert run("batch", "s.npz", "-o", "a.npz", "-q").returncode == 2
    by_line = run("batch", "s.npz", "-q").stdout.splitlines()
    with np.load(tmp_path / "a.npz") as found:
        assert found["status"].shape == (2, 20)
        for k, record in enumerate(map(json.loads, by_line)):
            at = np.unravel_index(k, (2, 20))
            assert found["source"][at] == record["source"]
            assert found["status"][at] == record.get("status", "error")
            if found["status"][at] == "determined":
                for key, bound in zip(("dy_dx", "dL_dx"), found["error_bound"][at], strict=True):
                    assert (key in found) == (record[key] is not None)
                    if key in found:
                        limit = bound + record["error_bound"][key]
                        assert (np.abs(found[key][at] - np.array(record[key])) <= limit).all()
                assert found["condition"][at] == pytest.approx(record["condition"], rel=1e-6)


def test_mistakes_with_stacks_are_answered_with_what_to_type(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", A)
    result = run("solve", "a.npy", "-o", "out.npz")
    assert (result.returncode, result.stdout, result.stderr) == (
        2,
        "",
        "implicitgrad: --output out.npz holds one system's answer, and there are 3. --format table, json, plain, "
        "markdown, latex or yaml holds several; implicitgrad batch writes the numbers of all\n",
    )
    result = run("solve", "a.npy[0]", "a.npy[1]")
    assert result.stderr.endswith("For several: implicitgrad batch 'a.npy[0]' 'a.npy[1]'\n")
    assert run("a.npy[1]").stderr.endswith("To solve a file: implicitgrad solve 'a.npy[1]'\n")


def test_a_large_stack_is_answered_in_parts_with_the_same_results(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(2)
    np.savez(tmp_path / "s.npz", A=rng.normal(size=(7, 2, 2, 2)), dL_dy=[1.0, 2.0])
    np.save(tmp_path / "one.npy", np.eye(2))
    whole = run("batch", "s.npz", "one.npy", "-o", "whole.jsonl")
    assert run("batch", "s.npz", "-o", "whole.npz", "-q").returncode == 0
    monkeypatch.setattr(stack_parts, "MIN_BYTES", 0)
    monkeypatch.setattr(stack_parts, "MIN_SYSTEMS", 6)
    monkeypatch.chdir(tmp_path)
    assert [part.source for part in parts_of(Item("s.npz", None))] == ["s.npz[0:3]", "s.npz[3:6]", "s.npz[6:7]"]
    for item in (Item("s.npz[1]", None), Item("one.npy", None), Item("gone.npy", None), Item("a.yaml", b"A: 1")):
        assert parts_of(item) == [item]
    assert [count_systems(path) for path in ("s.npz", "one.npy", "a.yaml")] == [14, 1, 1]
    divided = run("batch", "s.npz", "one.npy", "-o", "parts.jsonl")
    assert (divided.returncode, divided.stderr) == (whole.returncode, whole.stderr)
    lines = [(tmp_path / f"{name}.jsonl").read_text().splitlines() for name in ("whole", "parts")]
    records = [[json.loads(line) | {"content_hash": None} for line in some] for some in lines]
    assert records[0] == records[1]
    again = run("batch", "s.npz", "one.npy", "-o", "parts.jsonl", "--resume")
    assert again.stderr == "implicitgrad: 15 systems: 15 determined; 15 kept from before\n"
    assert (tmp_path / "parts.jsonl").read_text().splitlines() == lines[1]
    assert run("batch", "s.npz", "-o", "parts.npz", "-q").returncode == 0
    with np.load(tmp_path / "whole.npz") as one, np.load(tmp_path / "parts.npz") as other:
        assert all(np.array_equal(one[key], other[key]) for key in one)
    monkeypatch.setattr(stack_parts, "MAX_PARTS", 2)
    assert len(parts_of(Item("s.npz", None))) == 2


def test_an_annotation_names_the_file_and_the_system(run: Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", A=A[[0, 2]], expect_rank=[2, 1])
    result = run("check", "s.npz", "--github", "-q")
    assert result.returncode == 1
    assert "::error file=s.npz,title=rank of s.npz[1] fails::claimed 1, correct is 2\n" in result.stdout
