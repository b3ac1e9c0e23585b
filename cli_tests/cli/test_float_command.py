"""The command in doubles: what it prints, what it writes, what it refuses."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from implicitgrad.checks import judge as judging
from implicitgrad.cli.options.shared import THREAD_VARIABLES
from implicitgrad.model import exact_cost
from implicitgrad.solvers.exact import solver as exact_solver
from implicitgrad.solvers.floating import basis

Run = Callable[..., "CompletedProcess[str]"]
LARGE = np.random.default_rng(0).standard_normal((45, 45))
FLOAT = ("--arithmetic", "float")
WARNING = "nothing is certified, and exact arithmetic may say otherwise"


def csv(matrix: np.ndarray) -> str:
    return "".join(",".join(map(repr, row)) + "\n" for row in matrix.tolist())


def test_the_table_says_float_and_shows_no_digit_that_the_bound_does_not_support(run: Run) -> None:
    result = run("solve", "-A", "0.1 0.2; 0.3 0.7", "-g", "1 3", "--arithmetic", "float", "--digits", "30")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(
        "x = A·y   2 equations, 2 unknowns\ndetermined: rank 2 of 2, condition ≈63, float, error ≤ "
    )
    for line in result.stdout.splitlines()[4:]:
        for number in line.split()[1:]:
            if number[0] in "-0123456789":
                assert len(number.lstrip("-").replace(".", "")) <= 17


def test_a_free_parameter_is_written_in_doubles_too(run: Run) -> None:
    result = run("solve", "-A", "3 5", "-g", "7 11", "--arithmetic", "float")
    assert (result.returncode, result.stderr) == (0, "")
    assert "y2      0.2 − 0.6·∂y1/∂x1" in result.stdout
    assert "not unique: ∂L/∂y is not in the row space of A; it would need ∂L/∂y ∝ (3, 5)" in result.stdout


def test_a_rank_decided_by_a_cutoff_is_said_to_be(run: Run) -> None:
    result = run("solve", "-A", "1 2; 2 4", "--arithmetic", "float")
    assert (result.returncode, result.stderr) == (0, "")
    assert "rank-deficient: rank 1 of 2, 1 unknown is free, 1 constraint on x, condition ≈1, float, not certified" in (
        result.stdout
    )
    assert result.stdout.rstrip().endswith(WARNING)


def test_the_record_has_the_same_keys_in_both_arithmetics(run: Run) -> None:
    exact, found = (
        json.loads(run("solve", "-A", "1 2; 3 5", "-g", "1 2", "-f", "json", "--arithmetic", arithmetic).stdout)
        for arithmetic in ("exact", "float")
    )
    assert list(exact) == list(found)
    assert (exact["arithmetic"], found["arithmetic"]) == ("exact", "float")
    assert found["exact"] is None
    assert np.allclose(found["dy_dx"], [[-5, 2], [3, -1]], atol=1e-14)
    assert found["dL_dx"] == pytest.approx([1, 0], abs=1e-15)
    assert 0 < found["rank_tolerance"] < 1e-14
    assert found["condition"] == pytest.approx(39)
    assert all(0 <= found["error_bound"][key] < 1e-14 for key in ("dy_dx", "dL_dx"))
    assert found["residual"] < 1e-14
    undetermined = json.loads(run("solve", "-A", "1 2; 2 4", "-f", "json", "--arithmetic", "float").stdout)
    assert undetermined["dy_dx"] == [[None, None], [None, None]]
    assert undetermined["error_bound"] == {"dy_dx": None, "dL_dx": None}
    assert [warning["code"] for warning in undetermined["warnings"]] == ["rank-by-cutoff"]


def test_a_cutoff_may_be_given(run: Run) -> None:
    wide = ["solve", "-A", "1 1; 1 1.001", "--arithmetic", "float", "-f", "json"]
    assert json.loads(run(*wide).stdout)["rank"] == 2
    assert json.loads(run(*wide, "--rtol", "1e-2").stdout)["rank"] == 1
    for wrong in ("nan", "-1", "1e400", "2", "x"):
        result = run(*wide, "--rtol", wrong)
        assert (result.returncode, result.stdout) == (2, "")
        assert "--rtol" in result.stderr


def test_large_text_is_solved_in_doubles_and_exactly_if_asked(run: Run) -> None:
    matrix = "; ".join(" ".join("2" if i == j else "0" for j in range(80)) for i in range(80))
    assert "float, error" in run("solve", "-A", matrix).stdout
    assert ", exact\n" in run("solve", "-A", matrix, "--arithmetic", "exact").stdout


def test_only_the_gradient_is_printed_if_only_that_is_asked_for(run: Run) -> None:
    result = run("solve", "-A", "1 2; 3 4", "-g", "1 1", "--only", "dL_dx")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (
        "x = A·y   2 equations, 2 unknowns\n"
        "determined: rank 2 of 2, condition 15, exact\n"
        "\n"
        "            x1    x2\n"
        " ───────────────────\n"
        "  ∂L/∂x   -1/2   1/2\n"
    )
    record = json.loads(run("solve", "-A", "1 2; 3 4", "-g", "1 1", "--only", "dL_dx", "-f", "json").stdout)
    assert (record["dy_dx"], record["dL_dx"]) == (None, [-0.5, 0.5])
    result = run("solve", "-A", "1 2; 3 4", "--only", "dL_dx")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "implicitgrad: <inline>: --only dL_dx needs dL_dy, and there is none. Give it in the file or with -g\n"
    )


def test_what_a_double_cannot_hold_is_an_error_that_names_the_way_out(run: Run) -> None:
    result = run("solve", "-A", "1e-320 0; 0 1", "--arithmetic", "float")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "implicitgrad: <inline>: expected an answer within the range of doubles, got a number beyond ±1.8e308. "
        "--arithmetic exact has it as a fraction\n"
    )
    result = run("solve", "-A", "1e399", "--arithmetic", "float")
    assert (result.returncode, result.stdout) == (2, "")
    assert "expected numbers within the range of doubles, got one beyond ±1.8e308" in result.stderr


def test_a_large_answer_is_summarised_and_printed_whole_if_asked(run: Run) -> None:
    files = {"large.csv": csv(LARGE)}
    result = run("solve", "large.csv", files=files, COLUMNS="80")
    assert (result.returncode, result.stderr) == (0, "")
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert len(result.stdout.splitlines()) <= 40
    assert "45 × 45" in result.stdout
    assert "--full prints all entries" in result.stdout
    whole = run("solve", "large.csv", "--full", files=files).stdout
    assert len(whole.splitlines()) > 45
    assert "  y45  " in whole
    assert json.loads(run("solve", "large.csv", "-f", "json", files=files).stdout)["dy_dx"][44][44] is not None


def test_numpy_files_get_the_jacobian_or_everything(run: Run, tmp_path: Path) -> None:
    files = {"wide.csv": "1,2,3\n0,1,1\ndL/dy,1,1,1\n".replace("1,2,3", "a,1,2,3").replace("0,1,1", "b,0,1,1")}
    result = run("solve", "wide.csv", "--arithmetic", "float", "--output", "all.npz", files=files)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    with np.load(tmp_path / "all.npz") as found:
        assert str(found["status"]) == "underdetermined"
        assert (int(found["rank"]), found["x"].tolist(), found["free"].tolist()) == (2, ["a", "b"], ["y1"])
        assert np.isnan(found["dy_dx"]).all()
        assert np.allclose(np.array([[1, 2, 3], [0, 1, 1]]) @ found["minimum_norm"], np.eye(2))
        assert (found["error_bound"] < 1e-14).all()
    run("solve", "-A", "1 2; 3 4", "-o", "J.npy")
    assert np.array_equal(np.load(tmp_path / "J.npy"), [[-2, 1], [1.5, -0.5]])
    run("solve", "-A", "1 2; 3 4", "-g", "1 1", "--only", "dL_dx", "-o", "g.npy")
    assert np.array_equal(np.load(tmp_path / "g.npy"), [-0.5, 0.5])
    two = run("solve", "two.yaml", "-o", "two.npz", files={"two.yaml": "A: [[1]]\n---\nA: [[2]]\n"})
    assert (two.returncode, two.stdout, (tmp_path / "two.npz").exists()) == (2, "", False)


@pytest.mark.parametrize(
    ("environment", "arguments", "threads"),
    [({}, [], "1"), ({"OMP_NUM_THREADS": "3"}, [], None), ({"OMP_NUM_THREADS": "3"}, ["--threads", "2"], "2")],
)
def test_small_systems_get_one_thread_unless_the_user_says_otherwise(
    environment: dict[str, str], arguments: list[str], threads: str | None, tmp_path: Path
) -> None:
    script = (
        "import os, sys\n"
        "from implicitgrad.cli.options.shared import set_threads\n"
        "set_threads(int(sys.argv[1]) if sys.argv[1:] else None, [])\n"
        "print(os.environ.get('OPENBLAS_NUM_THREADS'))\n"
    )
    clean = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
    command = [sys.executable, "-c", script, *arguments[1:]]
    result = subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout.strip() == str(threads)


def test_a_number_of_threads_is_at_least_one(run: Run) -> None:
    result = run("solve", "-A", "1", "--threads", "0")
    assert (result.returncode, result.stdout) == (2, "")
    assert run("solve", "-A", "1", "--arithmetic", "float", "--threads", "2").returncode == 0


def test_a_large_claim_is_judged_by_certified_doubles(run: Run) -> None:
    gradient = np.linalg.solve(LARGE.T, np.ones(45))
    g, right = " ".join(["1"] * 45), " ".join(map(repr, gradient.tolist()))
    wrong = " ".join(map(repr, np.linalg.solve(LARGE, np.ones(45)).tolist()))
    files = {"large.csv": csv(LARGE)}
    assert run("check", "large.csv", "-g", g, "--dldx", right, files=files).returncode == 0
    result = run("check", "large.csv", "-g", g, f"--dldx={wrong}", "-q", files=files)
    assert result.returncode == 1
    assert "was the transpose forgotten?" in result.stdout


def test_many_exponents_beside_one_bad_cell_are_read_at_once(run: Run) -> None:
    rows = [[str(i * j % 7) for j in range(17)] for i in range(17)]
    for k in range(60):
        rows[k // 17][k % 17] = "1e-05"
    rows[16][16] = "nan"
    table = "\n".join(map(",".join, rows)) + "\n"
    result = run("solve", "many.csv", files={"many.csv": table})
    assert (result.returncode, result.stdout) == (2, "")
    place = table.splitlines()[16].index("nan") + 1
    assert result.stderr.startswith(f"implicitgrad: many.csv:17:{place}: A[17][17]: expected a number")
    fraction = run("solve", "-", "--delimiter", ",", "--require", "determined", stdin=table.replace("nan", "1/3"))
    assert "expected determined" in fraction.stderr


def test_what_lies_beyond_doubles_is_refused_in_one_line_without_numpys_warnings(run: Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "tiny.npz", A=np.diag([1e-320, 1]), B=np.array([[0.3, -1], [1, 0.5]]))
    for arguments in (
        ["tiny.npz"],
        ["-A", "1e-330", "--arithmetic", "float"],
        ["-A", "1e-399 0; 0 1", "--arithmetic", "float"],
    ):
        result = run("solve", *arguments)
        assert (result.returncode, result.stdout) == (2, ""), arguments
        assert result.stderr.count("\n") == 1
        assert "range of doubles" in result.stderr


def test_a_file_is_written_in_the_format_of_its_name(run: Run, tmp_path: Path) -> None:
    assert run("solve", "-A", "1 2; 3 4", "-o", "J.json").returncode == 0
    assert json.loads((tmp_path / "J.json").read_text())["rank"] == 2
    assert run("solve", "-A", "1 2; 3 4", "-o", "J.NPY").returncode == 0
    assert np.load(tmp_path / "J.NPY").shape == (2, 2)
    assert run("solve", "-A", "1 2; 3 4", "-o", "J.yaml").returncode == 0
    assert run("check", "J.yaml").returncode == 0
    for name, form in (
        ("J.csv", "csv"),
        ("J.md", "markdown"),
        ("J.tex", "latex"),
        ("J.jsonl", "json"),
        ("J.ndjson", "json"),
    ):
        assert run("solve", "-A", "1 2; 3 4", "-o", name).returncode == 0
        assert (tmp_path / name).read_text("utf-8") == run("solve", "-A", "1 2; 3 4", "-f", form).stdout
    table = run("solve", "-A", "1 2; 3 4").stdout
    (tmp_path / "a.b").mkdir()
    for name in ("J", "J.txt", "J.TXT", ".J", "J.", "a.b/J"):
        assert run("solve", "-A", "1 2; 3 4", "-o", name).returncode == 0
        assert (tmp_path / name).read_text("utf-8") == table
    for name in ("J.npy", "J.json", "J.xlsx", "J.tsv"):
        assert run("solve", "-A", "1 2; 3 4", "-f", "table", "-o", name).returncode == 0
        assert (tmp_path / name).read_text("utf-8") == table


@pytest.mark.parametrize("name", ["J.xlsx", "J.tsv", "J.json.gz"])
@pytest.mark.parametrize("command", ["solve", "check", "batch"])
def test_a_name_whose_format_is_not_written_is_refused(run: Run, tmp_path: Path, command: str, name: str) -> None:
    result = run(command, "a.yaml", "-o", name, files={"a.yaml": "A: [[1]]"})
    written = {
        "solve": ".json, .jsonl, .ndjson, .md, .html, .htm, .tex, .yaml, .yml, .csv, .npy, .npz",
        "check": ".json, .jsonl, .ndjson, .html, .htm",
        "batch": ".json, .jsonl, .ndjson, .csv, .npz",
    }[command]
    assert (result.returncode, result.stdout, (tmp_path / name).exists()) == (2, "", False)
    assert result.stderr == (
        f"implicitgrad: --output {name}: expected a name ending in .txt, {written}, got '{Path(name).suffix}'. With "
        "--format the name may be any\n"
    )
    assert run(command, "a.yaml", "-f", "json", "-o", name).returncode == 0
    assert json.loads((tmp_path / name).read_text())["status"] == "determined"


def test_a_cutoff_is_for_doubles(run: Run) -> None:
    assert "--rtol is a cutoff for doubles" in run("solve", "-A", "1", "--arithmetic", "exact", "--rtol", "0.1").stderr


def test_check_takes_a_rank_from_the_cutoff_as_solve_does(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    np.save(tmp_path / "R.npy", rng.standard_normal((120, 100)) @ rng.standard_normal((100, 120)))
    assert run("solve", "R.npy", "--require", "rank-deficient").returncode == 0
    assert run("check", "R.npy", "--require", "rank-deficient").returncode == 0
    assert run("check", "R.npy", "--require", "determined").returncode == 1


def test_symbols_have_stand_ins_where_the_encoding_lacks_them(run: Run) -> None:
    result = run("solve", "-A", "0.3 0.1; 0.2 0.9", "--arithmetic", "float", PYTHONIOENCODING="ascii")
    assert "error <= 1e-15" in result.stdout
    assert "\\u" not in result.stdout


def test_exponents_are_written_alike_in_both_arithmetics(run: Run) -> None:
    for arithmetic in ("exact", "float"):
        table = run("solve", "-A", "3e-6 1; 0 1e-9", "--arithmetic", arithmetic).stdout
        assert "condition ≈3.33e+14," in table
        assert "e+14" in table
        assert re.search(r" (1\.00000e\+9|1000000000)\n", table)
    assert "condition ≈6.67e+4," in run("solve", "-A", "100000 1; 1 1.5", "--arithmetic", "float").stdout


@pytest.mark.parametrize("form", ["table", "json", "yaml", "latex"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("-A", "9007199254740993 1e300 3"),  # the bound of the null space's norm, squared, is beyond doubles
        ("-A", "9007199254740993 1e300 3", "-g", "1 2 3"),
        ("-A", "-2.0451 6/21", "-g", "-8e97 -1", "-B", "-8e250"),  # the minimum-norm ∂L/∂x is
    ],
    ids=["row", "row-with-gradient", "gradient-of-least-norm"],
)
def test_an_infinite_bound_is_no_bound(run: Run, form: str, arguments: tuple[str, ...]) -> None:
    result = run("solve", *arguments, "--arithmetic", "float", "-f", form)
    assert (result.returncode, result.stderr) == (0, "")
    assert not re.search(r"\binf|nan\b", result.stdout, re.IGNORECASE)
    if form == "json":
        assert json.loads(result.stdout)["error_bound"]["dy_dx"] is None
    elif form == "yaml":
        assert "# the answer is not certified, and is not claimed" in result.stdout
    else:
        assert "not certified" in result.stdout


def test_a_number_of_the_least_solution_beyond_doubles_is_refused(run: Run) -> None:
    A, B = "-9.63452840475 63/40", "1.629896840656013386e308 1.840549684193004387e300 -7.1387885002"
    result = run("solve", "-A", A, "-B", B, "--arithmetic", "float")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "implicitgrad: <inline>: expected an answer within the range of doubles, got a number beyond ±1.8e308."
        " --arithmetic exact has it as a fraction\n"
    )


def test_a_gradient_of_least_norm_may_be_beyond_doubles(run: Run) -> None:
    result = run("solve", "-A", "1e-10 1e-10", "-g", "1e300 0", "--arithmetic", "float")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("\n  ∂L/∂x   ≈5.00000e+309\n")


def test_a_rounded_coefficient_has_its_mark_before_its_sign(run: Run) -> None:
    singular = ("solve", "-A", "1 -1; -1 1", "--arithmetic", "float")
    assert "    x2 ≈ -1·x1\n" in run(*singular).stdout
    assert "- x2 ≈ -1·x1\n" in run(*singular, "--format", "markdown").stdout
    assert "x_{2} \\approx -1\\,x_{1}\n" in run(*singular, "--format", "latex").stdout
    exact = run("solve", "-A", "1; -1234567/7654321", "--arithmetic", "exact").stdout
    assert "    x2 ≈ -0.161290·x1\n" in exact


def test_a_zero_has_no_decimals_beside_numbers_that_have(run: Run) -> None:
    result = run("solve", "-A", "0.1 0 0; 0 0.1 0; 0 0.3 7e-3", "--arithmetic", "float")
    assert (result.returncode, result.stderr) == (0, "")
    assert (
        result.stdout
        == """\
x = A·y   3 equations, 3 unknowns
determined: rank 3 of 3, condition ≈150, float, error ≤ 1e-12

  ∂y/∂x       x1         x2        x3
 ────────────────────────────────────
  y1      10.000      0         0
  y2       0         10.000     0
  y3       0       -428.571   142.857
"""
    )


@pytest.mark.parametrize(
    ("limit", "equations", "reason"),
    [
        ("MAX_SVD_OF_FEW", "a+b=x;2*a+2*b=z", "expected independent equations, so many as there are, got 2 in 2 "),
        ("MAX_SVD_OF_FEW", "a+b=x", "expected so many unknowns as equations in a system of this size, got 1 equation "),
        ("MAX_ANSWER_OF_FEW", "a+b=x", "expected so many unknowns as equations in a system of this size, got 1 "),
    ],
)
def test_few_numbers_that_make_much_work_are_refused_before_it_and_taken_if_asked(
    run: Run, monkeypatch: pytest.MonkeyPatch, limit: str, equations: str, reason: str
) -> None:
    monkeypatch.setattr(basis, limit, 1)
    system = f"equations: [{', '.join(equations.split(';'))}]\ny: [a, b]\nexpect: {{rank: 1}}\n"
    options = {"files": {"s.yaml": system}}
    for command in ("solve", "batch"):
        result = run(command, "s.yaml", *FLOAT, **options)
        assert result.returncode == 2
        assert reason in (result.stdout if command == "batch" else result.stderr)
        asked = run(command, "s.yaml", *FLOAT, "--rtol", "4e-16", **options)
        assert asked.returncode == 0, asked.stderr
    assert "--rtol 4e-16 computes it, however long it takes" in result.stdout
    assert run("solve", "-A", "1 2; 3 4", *FLOAT).returncode == 0  # of full rank


def test_check_takes_doubles_for_text_of_which_exact_arithmetic_takes_too_long(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "is_quick", lambda system: False)
    monkeypatch.setattr(judging, "can_be_settled", lambda system: False)
    arithmetics = []
    solve_system = judging.solve_system
    monkeypatch.setattr(
        judging, "solve_system", lambda *args, **more: arithmetics.append(more) or solve_system(*args, **more)
    )
    text = run("solve", "-A", "1 2; 3 4; 4 6", "-g", "1 3", "-f", "yaml").stdout
    result = run("check", "s.yaml", files={"s.yaml": text})
    assert (result.returncode, arithmetics) == (0, [{"arithmetic": "float"}]), result.stdout
    wrong = text.replace("matrix: [[1, 1]]", "matrix: [[1, 2]]")
    assert run("check", "s.yaml", files={"s.yaml": wrong}).returncode == 1
    beyond = run("check", "s.yaml", files={"s.yaml": "A: [[1e399, 1], [1, 1]]\n"})
    assert beyond.returncode == 2
    message = "expected an answer within the range of doubles, got a number beyond ±1.8e308"
    assert beyond.stderr == f"implicitgrad: s.yaml: {message}\n"


def test_exact_arithmetic_of_long_numbers_is_refused_before_it_takes_long(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact_cost, "LONG", 1e-9)
    exact = ("s.yaml", "--arithmetic", "exact")
    files = {"s.yaml": "A: [[1e300, 2], [3, 1e-300]]\n"}
    message = "expected a system that exact arithmetic solves within 10 s, got one of 2 equations in 2 unknowns"
    for command in ("solve", "batch"):
        result = run(command, *exact, files=files)
        assert result.returncode == 2
        assert f"s.yaml: {message}" in result.stderr
        assert run(command, *exact, "--time-limit", "60", files=files).returncode == 0
    monkeypatch.setattr(exact_cost, "MAX_SHORT_ENTRIES", 3)  # of a larger file nobody expects an answer at once
    assert run("solve", *exact, files=files).returncode == 0


def test_check_takes_doubles_for_text_of_too_many_entries_for_exact_arithmetic(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "is_quick", lambda system: False)
    text = run("solve", "-A", "1 2 5; 3 4 6", "-g", "1 3 2", "-f", "yaml").stdout
    monkeypatch.setattr(exact_solver, "MAX_ENTRIES", 3)
    result = run("check", "s.yaml", files={"s.yaml": text})
    assert (result.returncode, result.stderr) == (0, "")
