"""Reading MatrixMarket files and SciPy's sparse .npz files, small ones with all their zeros."""

import gzip
import io
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Run, examples
from hypothesis import given
from hypothesis import strategies as st

from implicitgrad import InputError, read_systems

COORDINATE = "%%MatrixMarket matrix coordinate real general\n"
ARRAY = "%%MatrixMarket matrix array real general\n"
NO_PATTERN = "A pattern says where a matrix is not 0, not what it is there; write its values"
NO_COMPLEX = "Of complex numbers write the real matrix of twice the size, [[Re, -Im], [Im, Re]]"
TWICE = "Programs sum them or take one of them; in SciPy, A.sum_duplicates() before mmwrite sums them"
NUMBER = "expected a number such as -12, 0.5, 1e-3 or 3/4, got"
FEW = "rows or columns with so few entries, got"
SUCH = f"Such as {COORDINATE.strip()}"
LAPLACIAN = "%%MatrixMarket matrix coordinate real symmetric\n%\n3 3 5\n1 1 2\n2 1 -1\n2 2 2\n3 2 -1\n3 3 2.5\n"
"""As scipy.io.mmwrite writes it."""


def rows(path: Path) -> list[list[Fraction]]:
    (system,) = read_systems(path)
    return [list(row) for row in system.A]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LAPLACIAN, [[2, -1, 0], [-1, 2, -1], [0, -1, 2.5]]),
        ("%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 1 -1.5\n", [[0, 1.5], [-1.5, 0]]),
        ("%%MatrixMarket matrix coordinate integer general\n2 3 2\n1 3 +7\n2 1 4\n", [[0, 0, 7], [4, 0, 0]]),
        (f"{ARRAY}2 3\n1\n2\n3\n4\n5\n6\n", [[1, 3, 5], [2, 4, 6]]),
        ("%%MatrixMarket matrix array real symmetric\n2 2\n1\n2\n3\n", [[1, 2], [2, 3]]),
        ("%%MatrixMarket matrix array real skew-symmetric\n3 3\n1\n2\n3\n", [[0, -1, -2], [1, 0, -3], [2, 3, 0]]),
        (
            "%%matrixmarket MATRIX Coordinate Double General\r\n% note\r\n\r\n 1\t1  1 \r\n\r\n 1  1\t1e-3\r\n",
            [[Fraction("1e-3")]],
        ),
        (f"{COORDINATE}2 2 1\n1 1 .5", [[0.5, 0], [0, 0]]),
        ("%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 2 3\n2 2 1\n", [[0, 3], [3, 1]]),
        (f"{COORDINATE}2 2 0\n", [[0, 0], [0, 0]]),
    ],
    ids=[
        "symmetric",
        "skew",
        "integer",
        "array",
        "symmetric-array",
        "skew-array",
        "spaces",
        "no-newline",
        "upper",
        "no-entry",
    ],
)
@pytest.mark.parametrize("is_compressed", [False, True])
def test_each_layout_is_read(text: str, expected: Any, is_compressed: bool, tmp_path: Path) -> None:
    path = tmp_path / ("a.mtx.gz" if is_compressed else "A.MTX")
    path.write_bytes(gzip.compress(text.encode()) if is_compressed else text.encode())
    assert rows(path) == expected
    assert read_systems(path)[0].name == path.name.split(".")[0]


def test_decimals_are_exact(run: Run) -> None:
    result = run("solve", "a.mtx", "--format", "json", files={"a.mtx": f"{COORDINATE}1 1 1\n1 1 0.1\n"})
    record = json.loads(result.stdout)
    assert (result.returncode, record["arithmetic"], record["exact"]["dy_dx"]) == (0, "exact", [["10"]])


def test_vectors_are_columns_or_rows(run: Run) -> None:
    files: dict[str, str | bytes] = {
        "a.mtx": LAPLACIAN,
        "g.mtx": f"{ARRAY}3 1\n1\n0\n2\n",
        "row.mtx": f"{COORDINATE}1 3 2\n1 1 1\n1 3 2\n",
        "two.mtx": f"{ARRAY}2 3\n1\n0\n0\n0\n2\n1\n",
        "claim.mtx": f"{ARRAY}3 1\n1.0909\n1.1818\n1.2727\n",
    }
    for name in ("g.mtx", "row.mtx"):
        record = json.loads(run("solve", "a.mtx", "-g", f"@{name}", "--format", "json", files=files).stdout)
        assert record["exact"]["dL_dx"] == ["12/11", "13/11", "14/11"]
    record = json.loads(run("solve", "-A", "@a.mtx", "-g", "@two.mtx", "--format", "json", files=files).stdout)
    assert record["exact"]["dL_dx"] == [["12/11", "13/11", "14/11"], ["2/11", "4/11", "6/11"]]
    result = run("check", "a.mtx", "-g", "@g.mtx", "--dldx", "@claim.mtx", files=files)
    assert (result.returncode, result.stderr) == (0, "")
    assert run("check", "a.mtx", "-g", "@g.mtx", "--dldx", "@g.mtx", files=files).returncode == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a.mtx: empty; expected a matrix"),
        ("1,2\n3,4\n", f"a.mtx:1:1: expected %%MatrixMarket at the start, got '1,2'. {SUCH}"),
        ("%%MatrixMarket matrix coordinate real\n1 1 0", f"a.mtx:1: expected 5 words in the header, got 4. {SUCH}"),
        ("%%MatrixMarket matrix sparse real general\n", "a.mtx:1:23: expected coordinate or array, got 'sparse'"),
        (
            COORDINATE.replace("real", "pattern"),
            f"a.mtx:1:34: expected a matrix of real numbers, got a pattern one. {NO_PATTERN}",
        ),
        (
            COORDINATE.replace("real", "complex"),
            f"a.mtx:1:34: expected a matrix of real numbers, got a complex one. {NO_COMPLEX}",
        ),
        (
            COORDINATE.replace("general", "hermitian"),
            f"a.mtx:1:39: expected a matrix of real numbers, got a hermitian one. {NO_COMPLEX}",
        ),
        (
            f"{COORDINATE}% only a comment\n",
            "a.mtx:3: expected a line with the numbers of rows, columns and entries, got the end of the file",
        ),
        (f"{COORDINATE}2 2\n1 1 1\n", "a.mtx:2: expected the numbers of rows, columns and entries, got '2 2'"),
        (f"{ARRAY}2 2 4\n", "a.mtx:2: expected the numbers of rows and columns, got '2 2 4'"),
        (f"{COORDINATE}-1 2 1\n1 1 1\n", "a.mtx:2: expected the numbers of rows, columns and entries, got '-1 2 1'"),
        (f"{COORDINATE}0 2 0\n", "a.mtx:2: the matrix is empty, of shape 0×2; expected at least one number"),
        (
            LAPLACIAN.replace("3 3 5", "3 4 5"),
            "a.mtx:3: expected as many rows as columns of a symmetric matrix, got 3×4",
        ),
        (f"{COORDINATE}2 2 5\n", "a.mtx:2: expected at most 4 entries, as many as 2×2 has, got 5"),
        (
            f"{COORDINATE}2 2 2\n1 1 1\n",
            "a.mtx:3: the header promises 2 entries, and there is 1. The file may be truncated",
        ),
        (f"{COORDINATE}2 2 1\n1 1 1\n\n2 2 1\n", "a.mtx:5: the header promises 1 entry, and there are 2"),
        (
            f"{COORDINATE}2 2 2\n1 1 1\n0 1 3\n",
            "a.mtx:4:1: expected a row from 1 to 2, got '0'. Rows and columns are numbered from 1",
        ),
        (f"{COORDINATE}2 2 2\n1 1 1\n1 3 3\n", "a.mtx:4:3: expected a column from 1 to 2, got '3'"),
        (f"{COORDINATE}2 2 1\n1.0 1 3\n", "a.mtx:3:1: expected a row from 1 to 2, got '1.0'"),
        (f"{COORDINATE}2 2 2\n1 2 1\n1 2 3\n", f"a.mtx:4:5: duplicate entry (1, 2), which line 3 has, too. {TWICE}"),
        (LAPLACIAN.replace("3 2 -1", "1 2 -1"), f"a.mtx:7:5: duplicate entry (1, 2), which line 5 has, too. {TWICE}"),
        (
            "%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n1 1 2\n",
            "a.mtx:3:5: expected no entry on the diagonal of a skew-symmetric matrix, got 2",
        ),
        (f"{COORDINATE}2 2 1\n1 1 a\n", f"a.mtx:3:5: {NUMBER} 'a'"),
        (f"{COORDINATE}2 2 1\n1 1 nan\n", f"a.mtx:3:5: {NUMBER} 'nan'. Missing and infinite values are not read"),
        (f"{COORDINATE}2 2 1\n1 1 1.5D+01\n", f"a.mtx:3:5: {NUMBER} '1.5D+01'. An exponent is written with e: 1e-3"),
        (
            f"{COORDINATE}2 2 1\n1 1 1 2\n",
            "a.mtx:3:1: expected a row, a column and a number, got '1 1 1 2'. This is an entry of a complex matrix",
        ),
        (
            f"{COORDINATE}1000000000 1000000000 1\n1 1 1\n",
            f"a.mtx:2: expected at most 1,000,010 {FEW} 1,000,000,000×1,000,000,000",
        ),
        (
            f"{ARRAY}1000000000 1000000000\n1\n",
            f"a.mtx:2: expected at most 1,000,320 {FEW} 1,000,000,000×1,000,000,000",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, expected: str, run: Run) -> None:
    result = run("solve", "a.mtx", files={"a.mtx": text})
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"implicitgrad: {expected}\n"


def test_standard_input_and_values_of_options_are_recognised(run: Run) -> None:
    result = run("solve", "-", "-g", f"{ARRAY}3 1\n1\n0\n2\n", "--format", "json", stdin=LAPLACIAN)
    assert result.stderr == "implicitgrad: -: read as a MatrixMarket file\n"
    assert json.loads(result.stdout)["exact"]["dL_dx"] == ["12/11", "13/11", "14/11"]
    for arguments in (["-A", LAPLACIAN], ["-A", "@-"]):
        result = run("solve", *arguments, "--format", "json", stdin=LAPLACIAN)
        assert json.loads(result.stdout)["exact"]["dy_dx"][0] == ["8/11", "5/11", "2/11"]
    result = run("solve", "-", stdin=LAPLACIAN.replace("2 1 -1", "2 1 x"))
    assert (result.returncode, result.stderr) == (2, f"implicitgrad: -:5:5: {NUMBER} 'x'\n")


@pytest.mark.parametrize("number", ["1e399", "1e-399"])
def test_numbers_beyond_the_range_of_doubles_are_refused_or_exact(number: str, run: Run) -> None:
    lines = [f"{i} {i} {number if i == 3 else 2}" for i in range(1, 301)]
    for n, hint in ((300, "--arithmetic exact takes it as it is"), (1200, None)):
        text = "\n".join([COORDINATE + f"{n} {n} 300", *lines])
        result = run("solve", "a.mtx", "--arithmetic", "float", "--show", "x3", files={"a.mtx": text})
        assert (result.returncode, result.stdout) == (2, "")
        assert "the range of doubles, got" in result.stderr or "a matrix of 1200×1200" in result.stderr
        assert hint is None or hint in result.stderr


def test_several_problems_are_listed(run: Run) -> None:
    result = run("solve", "a.mtx", files={"a.mtx": f"{COORDINATE}2 2 3\n1 1 x\n3 1 1\n2 2 1\n"})
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 2)


def test_compressed_files_are_held_to_their_format(run: Run) -> None:
    whole = gzip.compress(LAPLACIAN.encode())
    bomb = gzip.compress(bytes(2**20)) * 257
    found = {}
    files = {
        "cut.mtx.gz": whole[:-12],
        "text.mtx.gz": LAPLACIAN,
        "bomb.mtx.gz": bomb,
        "two.mtx.gz": whole[:40] + whole,
        "gz.mtx": whole,
    }
    for name, content in files.items():
        result = run("solve", name, files={name: content})
        assert (result.returncode, result.stdout) == (2, "")
        found[name] = result.stderr.partition(": ")[2].partition(": ")[2]
    assert found["cut.mtx.gz"].startswith("the gzip data ends too early, after ")
    assert found["text.mtx.gz"].startswith("expected a MatrixMarket file compressed by gzip, got something else (")
    assert found["bomb.mtx.gz"] == "expected at most 256 MiB when unpacked, got more\n"
    assert found["two.mtx.gz"].startswith("expected a MatrixMarket file compressed by gzip, got damaged gzip data (")
    assert "got gzip data" in found["gz.mtx"]


def test_another_compressed_format_is_refused_by_its_name(run: Run) -> None:
    result = run("solve", "a.csv.gz", files={"a.csv.gz": b"\x1f\x8b"})
    assert result.returncode == 2
    assert ".mtx.gz, got '.csv.gz'" in result.stderr


DECIMALS = st.from_regex(r"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,4})?(e-?[0-9])?", fullmatch=True)


@given(
    st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 5)), DECIMALS, min_size=1),
    st.sampled_from([" ", "\t", "   "]),
)
@examples(30)
def test_many_lines_at_once_mean_the_same_as_line_by_line(entries: dict[tuple[int, int], str], gap: str) -> None:
    from implicitgrad.readers.arrays import triplets
    from implicitgrad.readers.matrix_market.lines import Entries, Header, LineReader, as_rows

    lines = [gap.join((str(i + 1), str(j + 1), number)) for (i, j), number in entries.items()]
    header = Header(True, "general", (5, 6), len(entries), 2)
    found = triplets.from_bytes("\n".join(lines).encode(), header)
    written = LineReader("a", header, iter(enumerate(lines, start=3))).entries()
    assert isinstance(written, Entries)
    truth = [[Fraction(text) for text in row] for row in as_rows((5, 6), written)]
    for one in (found, triplets.from_texts(written)):
        assert one is not None
        dense = triplets.to_dense((5, 6), one)
        errors = np.broadcast_to(np.asarray(dense.error), (5, 6))
        assert all(
            abs(truth[i][j] - Fraction(float(dense.array[i, j]))) <= Fraction(float(errors[i, j]))
            for i in range(5)
            for j in range(6)
        )
        assert all(errors[i, j] == 0 for i in range(5) for j in range(6) if (i, j) not in entries)


@pytest.mark.parametrize("symmetry", ["general", "symmetric", "skew-symmetric"])
@pytest.mark.parametrize("layout", ["coordinate", "array"])
def test_a_large_text_is_read_at_once_and_its_problems_are_located(symmetry: str, layout: str, tmp_path: Path) -> None:
    n = 150
    least = {"general": -n, "symmetric": 0, "skew-symmetric": 1}[symmetry]
    places = [(i, j) for j in range(n) for i in range(n) if i - j >= least]
    truth = np.zeros((n, n))
    lines = []
    for number, (i, j) in enumerate(places):
        value = (number * 37 % 1000 - 500) / 4
        truth[i, j] = value
        if symmetry != "general":
            truth[j, i] = value if symmetry == "symmetric" else -value
        lines.append(f"{i + 1} {j + 1} {value}" if layout == "coordinate" else f"{value}")
    sizes = f"{n} {n} {len(lines)}" if layout == "coordinate" else f"{n} {n}"
    head = f"%%MatrixMarket matrix {layout} real {symmetry}\n{sizes}\n"
    path = tmp_path / "a.mtx"
    path.write_text(head + "\n".join(lines) + "\n")
    (system,) = read_systems(path)
    assert np.array_equal(np.asarray(system.A), truth)
    assert system.A.largest_error() == 0
    lines[70] = lines[70].rsplit(" ", 1)[0] + " x" if layout == "coordinate" else "x"
    path.write_text(head + "\n".join(lines) + "\n")
    with pytest.raises(InputError) as caught:
        read_systems(path)
    assert (caught.value.problems[0].line, "got 'x'" in str(caught.value)) == (73, True)


def sparse_arrays(form: str) -> dict[str, Any]:
    """The arrays that scipy.sparse.save_npz writes for [[2, 0], [-1, 4]] in each format."""
    ints, data = (lambda *values: np.array(values, dtype=np.int32)), np.array([2.0, -1.0, 4.0])
    arrays = {
        "csr": {"indptr": ints(0, 1, 3), "indices": ints(0, 0, 1), "data": data},
        "csc": {"indptr": ints(0, 2, 3), "indices": ints(0, 1, 1), "data": data},
        "coo": {"row": ints(0, 1, 1), "col": ints(0, 0, 1), "data": data},
        "bsr": {"indptr": ints(0, 1), "indices": ints(0), "data": np.array([[[2.0, 0.0], [-1.0, 4.0]]])},
        "dia": {"offsets": ints(-1, 0), "data": np.array([[-1.0, 0.0], [2.0, 4.0]])},
    }
    return arrays[form] | {"format": np.array(form.encode()), "shape": np.array([2, 2])}


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia"])
def test_scipys_files_are_read_by_numpy_alone(form: str, run: Run, tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", **sparse_arrays(form))
    record = json.loads(run("solve", "a.npz", "-g", "1 1", "--format", "json").stdout)
    assert (record["name"], record["arithmetic"], record["dy_dx"]) == ("a", "float", [[0.5, 0], [0.125, 0.25]])
    as_option = json.loads(run("solve", "-A", "@a.npz", "-g", "1 1", "--format", "json").stdout)
    assert as_option["dL_dx"] == record["dL_dx"] == [0.625, 0.25]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"indices": np.array([0, 0, 2])}, "expected indices within 2×2, got others"),
        ({"indices": np.array([0, 0, -1])}, "expected indices within 2×2, got others"),
        ({"indptr": np.array([0, 1, 4])}, "the arrays of the csr matrix do not fit one another"),
        ({"indptr": np.array([0, 3])}, "the arrays of the csr matrix do not fit one another"),
        ({"data": np.array([1.0, 2.0])}, "the arrays of the csr matrix do not fit one another"),
        ({"data": np.array([1.0, np.nan, 2.0])}, "data[2]: expected a finite number, got nan"),
        ({"data": np.array([1.0, 2j, 2.0])}, "data: expected an array of integers or floats, got complex128"),
        ({"format": np.array(b"lil")}, "format: expected one of csr, csc, bsr, coo, dia, got 'lil'"),
        ({"format": np.array(b"coo")}, "the array row of a coo matrix is missing"),
        ({"shape": np.array([2])}, "shape: expected the numbers of rows and columns, got something else"),
        ({"shape": np.array([0, 2])}, "the matrix is empty, of shape 0×2; expected at least one number"),
        ({"shape": np.array([2**40, 2])}, f"expected at most 1,000,030 {FEW} 1,099,511,627,776×2"),
    ],
)
def test_sparse_archives_that_do_not_fit_are_refused(
    changes: dict[str, Any], expected: str, run: Run, tmp_path: Path
) -> None:
    np.savez(tmp_path / "a.npz", **(sparse_arrays("csr") | changes))
    result = run("solve", "a.npz")
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"implicitgrad: a.npz: {expected}\n")


def test_entries_of_an_archive_in_one_place_are_summed_as_scipy_does(run: Run, tmp_path: Path) -> None:
    arrays = sparse_arrays("coo") | {"row": np.array([0, 1, 0]), "col": np.array([0, 1, 0])}
    np.savez(tmp_path / "a.npz", **arrays)
    assert json.loads(run("solve", "a.npz", "--format", "json").stdout)["dy_dx"] == [[1 / 6, 0], [0, -1]]


def test_what_scipy_writes_is_read(tmp_path: Path) -> None:
    sparse, scipy_io = pytest.importorskip("scipy.sparse"), pytest.importorskip("scipy.io")
    A = np.array([[2.0, -1.0, 0.1], [0.0, 2.0, 1e-20], [-1e8, 0.0, 2.5]])
    for form in ("csr", "csc", "bsr", "coo", "dia"):
        for kind in (sparse.coo_array, sparse.coo_matrix):
            sparse.save_npz(tmp_path / "a.npz", kind(A).asformat(form))
            assert np.array_equal(np.asarray(read_systems(tmp_path / "a.npz")[0].A), A)
    for matrix in (A, sparse.coo_array(A), A + A.T, sparse.coo_array(A + A.T), A - A.T, sparse.coo_array(A - A.T)):
        expected = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
        scipy_io.mmwrite(tmp_path / "a.mtx", matrix)
        assert [[float(x) for x in row] for row in rows(tmp_path / "a.mtx")] == expected.tolist()
        buffer = io.BytesIO()
        scipy_io.mmwrite(buffer, matrix)
        (tmp_path / "a.mtx.gz").write_bytes(gzip.compress(buffer.getvalue()))
        assert rows(tmp_path / "a.mtx.gz") == rows(tmp_path / "a.mtx")
    scipy_io.mmwrite(tmp_path / "a.mtx", sparse.coo_array(A), field="pattern")
    with pytest.raises(InputError, match="pattern"):
        read_systems(tmp_path / "a.mtx")
