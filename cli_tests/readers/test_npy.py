"""Reading NumPy's files."""

import json
import os
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Run, examples
from hypothesis import given
from hypothesis import strategies as st

from implicitgrad import InputError, UsageError, read_systems
from implicitgrad.numbers.ball import BallMatrix
from implicitgrad.readers.arrays import npz

A = np.array([[1.5, 2.0], [3.0, 4.0]])


def problems(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_systems(path)
    return [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]


@pytest.mark.parametrize("dtype", ["f8", ">f8", "f4", "f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_matrix_of_floats_is_solved_in_doubles(dtype: str, order: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "gain.npy", np.asarray(A.astype(dtype), order=order))
    (system,) = read_systems(tmp_path / "gain.npy")
    assert isinstance(system.A, BallMatrix)
    assert (system.A.array.tolist(), system.A.error, system.A.array.dtype) == (A.tolist(), 0, np.dtype(float))
    assert (system.x, system.y, system.name) == (("x1", "x2"), ("y1", "y2"), "gain")
    (exact,) = read_systems(tmp_path / "gain.npy", arithmetic="exact")
    assert ((Fraction(3, 2), 2), (3, 4)) == exact.A


def test_integers_too_large_for_doubles_are_bounded_or_exact(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[2**53 + 1, -1]]))
    np.save(tmp_path / "u.npy", np.array([[2**64 - 1]], dtype=np.uint64))
    assert read_systems(tmp_path / "a.npy", arithmetic="exact")[0].A == ((2**53 + 1, -1),)
    assert read_systems(tmp_path / "u.npy", arithmetic="exact")[0].A == ((2**64 - 1,),)
    assert read_systems(tmp_path / "a.npy")[0].A == ((2**53 + 1, -1),)
    np.save(tmp_path / "even.npy", np.array([[2**53 + 2, -1]]))
    assert isinstance(read_systems(tmp_path / "even.npy")[0].A, BallMatrix)
    np.save(tmp_path / "large.npy", np.full((1, 700), 2**53 + 1))
    for system in (read_systems(tmp_path / "a.npy", arithmetic="float")[0], read_systems(tmp_path / "large.npy")[0]):
        assert np.asarray(system.A)[0, 0] == 2.0**53
        assert system.A.error[0, 0] >= 1


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_is_a_whole_system(save: Callable[..., None], tmp_path: Path) -> None:
    save(tmp_path / "s.npz", A=A, B=[[1.0], [2.0]], dL_dy=[5, 6], x=["in"], y=["größe", "yes"])
    (system,) = read_systems(tmp_path / "s.npz")
    assert [list(row) for row in system.A] == A.tolist()
    assert system.B is not None
    assert system.dL_dy is not None
    assert ([*map(list, system.B)], [*map(list, system.dL_dy)]) == ([[1], [2]], [[5, 6]])
    assert (system.x, system.y, system.has_one_loss) == (("in",), ("größe", "yes"), True)


def test_an_archive_may_spell_the_gradient_with_a_stroke_and_have_several_losses(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", **{"A": A, "dL/dy": np.eye(2)})
    (system,) = read_systems(tmp_path / "s.npz")
    assert system.dL_dy is not None
    assert ([*map(list, system.dL_dy)], system.has_one_loss) == ([[1, 0], [0, 1]], False)


def test_an_archive_may_claim_what_a_file_may(run: Run, tmp_path: Path) -> None:
    W = np.array([[1.0, 2.0], [3.0, 4.0]])
    claims: dict[str, Any] = {
        "status": "determined", "rank": 2, "dy_dx": np.linalg.inv(W), "dL_dx": [-0.5, 0.5], "free_parameters": 0,
        "dL_dx_unique": True, "constraints": "null", "condition_max": 15.1,
    }  # fmt: skip
    np.savez(tmp_path / "good.npz", A=W, dL_dy=[1, 1], **{f"expect_{key}": value for key, value in claims.items()})
    np.savez(tmp_path / "bad.npz", A=W, dL_dy=[1, 2], expect_dL_dx=np.linalg.solve(W, [1, 2]))
    names = {"expect_free_parameters": ["dy1/dx1"], "expect_constraints_dependent": ["x2"]}
    np.savez(
        tmp_path / "rank.npz",
        A=[[1, 2], [2, 4]],
        **names,
        expect_constraints_matrix=[[2.0]],
        expect_tolerance_rtol=1e-9,
    )
    result = run("check", ".", "--format", "json")
    records = {record["source"]: record for record in map(json.loads, result.stdout.splitlines())}
    verdicts = {
        source: [(one["claim"], one["holds"]) for one in record["claims"]] for source, record in records.items()
    }
    assert (result.returncode, result.stderr) == (1, "")
    assert verdicts == {
        "bad.npz": [("dL_dx", False)],
        "good.npz": [("condition" if key == "condition_max" else key, True) for key in claims],
        "rank.npz": [("free_parameters", True), ("constraints", True)],
    }


def test_a_large_matrix_is_mapped_and_not_copied(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.eye(300))
    (system,) = read_systems(tmp_path / "a.npy")
    assert isinstance(system.A, BallMatrix)
    assert type(system.A.array) is np.ndarray
    assert not system.A.array.flags.writeable
    assert not system.A.array.flags.owndata


def test_solve_takes_npy_and_npz(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[2.0, 0.0], [0.0, 4.0]]))
    np.savez(tmp_path / "s.npz", A=np.array([[2.0, 0.0], [0.0, 4.0]]), dL_dy=[1, 1])
    assert run("solve", "a.npy", "-g", "1 1", "--format", "json").returncode == 0
    result = run("solve", "s.npz", "--format", "json")
    assert (result.returncode, result.stderr) == (0, "")
    assert '"dL_dx": [0.5, 0.25]' in result.stdout


SHAPE_HINT = "A.reshape(1, -1) is one equation, A.reshape(-1, 1) one unknown"


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (A * 1j, "A: expected an array of integers or floats, got complex128"),
        (A > 2, "A: expected an array of integers or floats, got bool"),
        (A.astype(str), "A: expected an array of integers or floats, got <U32"),
        (np.zeros(2, dtype=[("a", "f8")]), "A: expected an array of integers or floats, got [('a', '<f8')]"),
        (A.astype(object), "not a readable .npy file: it holds Python objects"),
        (A[0], f"A: expected two dimensions (rows, columns), got 1 dimension, the shape (2,). {SHAPE_HINT}"),
        (np.zeros((0, 2, 2)), "A is empty, of shape 0×2×2; expected at least one number"),
        (np.float64(3), "A: expected two dimensions (rows, columns), got 0 dimensions, the shape ()"),
        (np.zeros((0, 3)), "A is empty, of shape 0×3; expected at least one number"),
        (np.zeros((3, 0)), "A is empty, of shape 3×0; expected at least one number"),
        (np.where(np.eye(4) == np.eye(4, k=1), 1, np.nan)[:2], [
            "A[1][1]: expected a finite number, got nan", "A[1][2]: expected a finite number, got nan",
            "A[2][2]: expected a finite number, got nan", "A[2][3]: expected a finite number, got nan"]),
        (np.full((50, 50), -np.inf), "A[1][1]: expected a finite number, got -inf, and so for 2,499 more entries of A"),
    ],
)  # fmt: skip
def test_what_is_no_matrix_of_numbers_is_refused(tmp_path: Path, array: Any, expected: str | list[str]) -> None:
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    wanted = [expected] if isinstance(expected, str) else expected
    assert problems(tmp_path / "a.npy") == [f"a.npy: {message}" for message in wanted]


KEYS = "A, B, dL_dy, x, y, x_value, or a claim, expect_…"
CLAIMS = (
    "expect_status, expect_rank, expect_dy_dx, expect_dL_dx, expect_dL_dA, expect_dL_dB, "
    "expect_free_parameters, expect_dL_dx_unique, "
    "expect_constraints, expect_constraints_dependent, expect_constraints_matrix, expect_condition_max, "
    "expect_tolerance_rtol, expect_tolerance_atol"
)
UNNAMED = "np.savez(file, A=A, dL_dy=g) gives them their names"


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"A": A, "dl_dy": A}, [f"unknown key 'dl_dy'; expected one of {KEYS}. Did you mean dL_dy?"]),
        ({"arr_0": A}, [f"unknown key 'arr_0'; expected one of {KEYS}. {UNNAMED}",
                        "the key A is missing; expected A, a matrix"]),
        ({"A": A, "dL_dy": A, "dL/dy": A}, ["duplicate key 'dL_dy'. Keep one of them"]),
        ({"A": A, "dL_dx": A}, [f"unknown key 'dL_dx'; expected one of {KEYS}. dL_dx is of the answer, not of the "
                                "system; a claim of it is written expect_dL_dx"]),
        ({"A": A, "expect_dl_dx": A}, [f"unknown key 'expect_dl_dx'; expected one of {CLAIMS}. "
                                       "Did you mean expect_dL_dx?"]),
        ({"A": A, "expect_rank": [1, 2]}, ["expect_rank: expected one text or number, got an array of int64 of shape "
                                           "(2,)"]),
        ({"A": A, "expect_dL_dx": ["a"]}, ["expect_dL_dx: expected an array of integers or floats, got <U1"]),
        ({"A": A, "dL_dy": [[A]], "x": [1], "y": [["a"]]}, [
            "dL_dy: expected one dimension, or two (losses, unknowns), got 4 dimensions, the shape 1×1×2×2",
            "x: expected a row of texts, got an array of int64 of shape (1,)",
            "y: expected a row of texts, got an array of <U1 of shape 1×1"]),
        ({"A": A, "B": A.astype(object)}, ["B: not a readable .npy file: it holds Python objects"]),
        ({"A": A, "B": np.ones((3, 1))}, ["B has 3 rows; expected 2, as A has. A is 2×2, B is 3×1"]),
        ({"A": A, "dL_dy": [1, np.nan]}, ["dL_dy[2]: expected a finite number, got nan"]),
        ({"A": A, "x": ["a", "a"]}, ["x[2]: duplicate name 'a'. Each name can stand for one only"]),
    ],
)  # fmt: skip
def test_an_archive_that_is_no_system_is_refused(tmp_path: Path, arrays: dict[str, Any], expected: list[str]) -> None:
    np.savez(tmp_path / "s.npz", **arrays)
    assert problems(tmp_path / "s.npz") == [f"s.npz: {message}" for message in expected]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: b"", "expected a NumPy .npy file, got an empty file"),
        (lambda data: b"1,2\n", "expected a NumPy .npy file, got something else"),
        (lambda data: b"PK\x03\x04" + data, "expected a NumPy .npy file, got something else"),
        (lambda data: data[:30], "not a readable .npy file: "),
        (lambda data: data[:-5], "not a readable .npy file: "),
        (lambda data: data[:10] + b"{" * 118, "not a readable .npy file: "),
        (lambda data: data.replace(b"(2, 2), }       ", b"(99999, 999999),}"), "not a readable .npy file: "),
    ],
)
def test_a_broken_file_is_refused_in_one_line(
    run: Run, tmp_path: Path, change: Callable[[bytes], bytes], expected: str
) -> None:
    np.save(tmp_path / "a.npy", A)
    (tmp_path / "a.npy").write_bytes(change((tmp_path / "a.npy").read_bytes()))
    result = run("solve", "a.npy")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"implicitgrad: a.npy: {expected}")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: b"A: [[1]]\n", "expected a NumPy .npz file, got something else"),
        (lambda data: data[:-40], "not a readable .npz file: File is not a zip file"),
        (lambda data: data.replace(A.tobytes(), A.tobytes()[::-1], 1), "not a readable .npz file: Bad CRC-32 for file"),
    ],
)
def test_a_broken_archive_is_refused_in_one_line(
    run: Run, tmp_path: Path, change: Callable[[bytes], bytes], expected: str
) -> None:
    np.savez(tmp_path / "s.npz", A=A)
    (tmp_path / "s.npz").write_bytes(change((tmp_path / "s.npz").read_bytes()))
    result = run("solve", "s.npz")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"implicitgrad: s.npz: {expected}")
    assert len(result.stderr.splitlines()) == 1


def test_a_zip_bomb_is_refused_by_what_it_says_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert npz.MAX_UNPACKED == 2**30
    monkeypatch.setattr(npz, "MAX_UNPACKED", 2**24)
    with (
        zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("A.npy", "w", force_zip64=True) as member,
    ):
        header = {"descr": "<f8", "fortran_order": False, "shape": (20_000, 10_000)}
        np.lib.format.write_array_header_1_0(member, header)
        for _ in range(npz.MAX_UNPACKED >> 20):
            member.write(bytes(2**20))
    assert problems(tmp_path / "bomb.npz") == ["bomb.npz: expected at most 16 MiB when unpacked, got more"]


@pytest.mark.parametrize(
    ("shape", "dtype"), [((1, 2_500_000), "u1"), ((2_500_000, 1), "u1"), ((3, 30, 30_000), "u1"), ((1500, 1500), "f4")]
)
def test_a_small_archive_of_a_large_array_is_refused_before_it_is_unpacked(
    shape: tuple[int, ...], dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("A", "expect_dy_dx"):
        np.savez_compressed(tmp_path / "s.npz", **{"A": A, key: np.zeros(shape, dtype)})
        with monkeypatch.context() as patched:
            patched.setattr(np.lib.format, "read_array", None)
            expected = "expected at most 16 MiB when unpacked, or 100 times the file's size, got more"
            hint = "np.savez writes a larger one without compression"
            assert problems(tmp_path / "s.npz") == [f"s.npz: {expected}. {hint}"]


def test_an_archive_that_lies_about_a_shape_takes_no_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", A)
    data = (tmp_path / "a.npy").read_bytes().replace(b"(2, 2), }          ", b"(99999999, 99999), }")
    with zipfile.ZipFile(tmp_path / "lie.npz", "w") as archive:
        archive.writestr("A.npy", data[: len(data)])
    (problem,) = problems(tmp_path / "lie.npz")
    assert problem.startswith("lie.npz: A: not a readable .npy file: ")


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "a.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (30_000, 20_000)})
        file.truncate(30_000 * 20_000 * 8 + 128)
    assert problems(tmp_path / "a.npy") == ["a.npy: expected at most 4096 MiB, got more"]


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.npy").mkdir()
    hint = "Give the system's file, not its directory"
    assert problems(tmp_path / "d.npy") == [f"d.npy: cannot be read: Is a directory. {hint}"]
    assert problems(tmp_path / "none.npz") == ["none.npz: cannot be read: No such file or directory"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_is_read_to_its_end(run: Run, tmp_path: Path) -> None:
    import threading

    np.save(tmp_path / "a.npy", A)
    data = (tmp_path / "a.npy").read_bytes()
    os.mkfifo(tmp_path / "f.npy")
    writer = threading.Thread(target=(tmp_path / "f.npy").write_bytes, args=(data,))
    writer.start()
    assert run("solve", "f.npy", "--format", "json").returncode == 0
    writer.join()


def test_standard_input_takes_no_numpy_file_and_says_what_does(run: Run, tmp_path: Path) -> None:
    hint = "NumPy's files are read from a path that ends in .npy or .npz, and not through standard input"
    np.save(tmp_path / "a.npy", A)
    np.savez(tmp_path / "s.npz", A=A)
    for name in ("a.npy", "s.npz"):
        result = run("solve", "-", stdin=(tmp_path / name).read_bytes())
        expected = f"implicitgrad: -: expected YAML or CSV text, got a NumPy {name[1:]} file. {hint}\n"
        assert (result.returncode, result.stdout, result.stderr) == (2, "", expected)


def test_an_archive_is_no_options_value_and_csv_options_are_for_csv(run: Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", A=A)
    result = run("solve", "-A", "@s.npz")
    expected = (
        "s.npz: expected a .npy file for one matrix, got an .npz. An .npz file is a whole system: give it as the SYSTEM"
    )
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"implicitgrad: {expected}\n")
    with pytest.raises(UsageError, match="is read as NumPy's"):
        read_systems(tmp_path / "s.npz", delimiter=";")


# an answer that was written, as a claim


CARRIED = [
    ("smallest number", [[1.7976931348623157e308]], [-9e-16], "holds"),
    ("below the smallest number", [[7e307]], [-6e-307], "undecided"),
    (
        "condition beyond 2⁵³",
        [
            [9007199254740992.0, 3.0, 1.0, -7.3],
            [3.0, 9.978093310843732, 3.2, -1.4682972940934302],
            [-3e307, 1.2, -1e-307, 1.711092745544958],
            [9007199254740992.0, 8e-15, -4e-100, 9007199254740992.0],
        ],
        [0.0, -7e-08, -0.4, 9007199254740996.0],
        "undecided",
    ),
]


def answer_beside(run: Run, folder: Path, arrays: dict[str, Any], arithmetic: str = "exact") -> bool:
    """Write the system and, as claims, the answer to it; False where doubles do not hold that."""
    np.savez(folder / "system.npz", **arrays)
    solved = run("solve", "system.npz", "-o", "answer.npz", "--arithmetic", arithmetic)
    if solved.returncode:
        return False
    answer = np.load(folder / "answer.npz")
    keys = [key for key in ("dy_dx", "dL_dx") if key in answer]
    if np.isnan(answer["error_bound"]).any() or not all(np.isfinite(answer[key]).all() for key in keys):
        return False
    np.savez(folder / "claims.npz", **arrays, **{f"expect_{key}": answer[key] for key in keys})
    return True


@pytest.mark.parametrize(("A", "dL_dy", "verdict"), [row[1:] for row in CARRIED], ids=[row[0] for row in CARRIED])
def test_an_answer_that_doubles_cannot_carry_is_undecided(
    run: Run, tmp_path: Path, A: Any, dL_dy: Any, verdict: str
) -> None:
    assert answer_beside(run, tmp_path, {"A": np.array(A), "dL_dy": np.array(dL_dy)})
    result = run("check", "claims.npz", "-f", "json")
    claims = json.loads(result.stdout)["claims"]
    assert claims[0]["holds"]
    found = claims[1]
    assert (found["claim"], found["holds"], found["undecided"]) == ("dL_dx", verdict == "holds", verdict != "holds")
    if len(A) == 4:
        assert found["reason"] == (
            "the condition of A is ≈2.73e+306, and floating-point numbers of 53 bits cannot carry the answer:"
            " rounding alone may have made the claim of it"
        )


def test_the_exact_answer_where_a_cutoff_says_otherwise_is_undecided(run: Run, tmp_path: Path) -> None:
    A = [
        [2.9299215923543276, 9e-20, 5e300],
        [6.7, 3e-16, 2e20],
        [8.789764777062983, 2.7e-19, 1.5e301],
    ]
    assert answer_beside(run, tmp_path, {"A": np.array(A)})
    result = run("check", "claims.npz", "-f", "json")
    (claim,) = json.loads(result.stdout)["claims"]
    assert (claim["holds"], claim["undecided"]) == (False, True)
    assert claim["reason"] == "the rank of A is 2 by a cutoff and 3 exactly, and the claim is the exact answer"
    wrong = dict(np.load(tmp_path / "claims.npz"))
    wrong["expect_dy_dx"] = wrong["expect_dy_dx"] * 1.5
    np.savez(tmp_path / "wrong.npz", **wrong)
    (claim,) = json.loads(run("check", "wrong.npz", "-f", "json").stdout)["claims"]
    assert (claim["holds"], claim["undecided"]) == (False, False)


doubles = st.one_of(
    st.sampled_from([0.0, 0.0, 1.0, -1.0, 2.0, 3.0, 0.1, 0.3, 2.7, 5e-324, 1.7976931348623157e308, 7e307, -9e-16]),
    st.builds(lambda sign, exponent: sign * 10.0**exponent, st.sampled_from([-3.0, 1.0, 2.0]), st.integers(-300, 300)),
    st.integers(2**53 - 3, 2**53 + 3).map(float),
    st.floats(-10, 10),
)


@given(st.data(), st.sampled_from(["exact", "float", "auto"]))
@examples(75)
def test_the_answer_to_any_doubles_holds_or_is_undecided(
    run: Run, tmp_path: Path, data: st.DataObject, arithmetic: str
) -> None:
    M, N = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    A = np.array([[data.draw(doubles) for _ in range(N)] for _ in range(M)])
    if M > 1 and data.draw(st.booleans()):
        with np.errstate(over="ignore"):
            A[-1] = A[0] * data.draw(st.sampled_from([1.0, 3.0, 1 + 2.0**-52]))
    arrays = {"A": A, "dL_dy": np.array([data.draw(doubles) for _ in range(N)])}
    if not np.isfinite(A).all() or not answer_beside(run, tmp_path, arrays, arithmetic):
        return
    result = run("check", "claims.npz")
    assert result.returncode in (0, 1)
    assert "FAILS" not in result.stdout
    restated = run("solve", "system.npz", "-f", "yaml", "--arithmetic", arithmetic)
    checked = run("check", "restated.yaml", files={"restated.yaml": restated.stdout})
    assert (checked.returncode, checked.stderr) == (0, ""), restated.stdout + checked.stdout


def test_doubles_at_the_edge_of_a_rank_are_restated_exactly(run: Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "system.npz", A=np.array([[0.9, 2.0**53], [3.0, 1.0], [2.7, 2.7021597764222976e16]]))
    restated = run("solve", "system.npz", "-f", "yaml").stdout
    assert "8106479329266893/9007199254740992" in restated
    assert run("check", "restated.yaml", files={"restated.yaml": restated}).returncode == 0
