"""Quadratic programs through the command: every answer against exact ones, every format, every way to go wrong."""

import json
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import BAKERY
from conftest import Run, spread

import implicitgrad

TRUTH = {
    one["name"]: one
    for one in json.loads((Path(__file__).parents[1] / "oracles" / "programs.json").read_text())["instances"]
}
BAKERY_TABLE = """\
minimise ½·zᵀPz + qᵀz   2 unknowns, 3 inequalities, 2 bounds
differentiable: z is unique, 1 inequality is active, exact

              z   active   multiplier
 ───────────────────────────────────────
  bread     7/5   oven            4/5
  cake    17/10

  objective = -129/20

  ∂z/∂    q[bread]   q[cake]   oven
 ──────────────────────────────────
  bread       -2/5      -1/5   -1/5
  cake        -1/5     -1/10    2/5

  ∂L/∂        -3/5     -3/10    1/5

  4 inactive constraints: derivatives 0
"""


def document(truth: dict[str, Any]) -> dict[str, Any]:
    keys = ("P", "q", "G", "h", "A", "b", "lb", "ub", "dL_dz")
    return {key: truth[key] for key in keys if truth[key]}


def record(run: Run, given: dict[str, Any]) -> dict[str, Any]:
    return record_of(run, json.dumps(given))


def record_of(run: Run, text: str, *options: str) -> dict[str, Any]:
    result = run("solve", "-", *options, "--format", "json", stdin=text)
    assert (result.returncode, result.stderr) == (0, "")
    loaded: dict[str, Any] = json.loads(result.stdout)
    return loaded


def rows_of(truth: dict[str, Any]) -> list[tuple[str, int, str]]:
    """The rows of G with bounds: the key of each, its place there, and its name."""
    n = len(truth["q"])
    found = [("h", i, f"h{i + 1}") for i in range(len(truth["h"]))]
    for key in ("lb", "ub"):
        bounds = truth[key] or [None] * n
        found += [(key, j, f"{key}[z{j + 1}]") for j in range(n) if bounds[j] is not None]
    return found


def negated(value: Any, sign: int) -> Any:
    """A text p/q, or a list of them, times 1 or −1."""
    if isinstance(value, list):
        return [negated(entry, sign) for entry in value]
    return value if value is None or sign == 1 else str(-Fraction(value))


@pytest.mark.parametrize("name", TRUTH)
def test_solve_prints_every_exact_answer(run: Run, name: str) -> None:
    truth = TRUTH[name]
    found = record(run, document(truth))
    exact = found["exact"]
    rows, n = rows_of(truth), len(truth["q"])
    if truth["status"] in ("infeasible", "unbounded"):
        assert found["status"] == truth["status"]
        certificate = exact["certificate"]
        if truth["status"] == "infeasible":
            by_kind = {"h": certificate["lambda"], "lb": certificate["lambda_lb"], "ub": certificate["lambda_ub"]}
            multipliers = [Fraction(by_kind[key][place]) for key, place, _ in rows]
            duals = list(map(Fraction, certificate["nu"]))
            assert min(multipliers, default=Fraction(0)) >= 0
            for j in range(n):
                column = [Fraction(row[j]) for row in (*truth["G_with_bounds"], *truth["A"])]
                assert sum(a * b for a, b in zip(column, [*multipliers, *duals], strict=True)) == 0
            bounds = list(map(Fraction, (*truth["h_with_bounds"], *truth["b"])))
            value = sum(a * b for a, b in zip(bounds, [*multipliers, *duals], strict=True))
            assert value == Fraction(certificate["value"]) < 0
        else:
            ray, point = ([Fraction(entry) for entry in certificate[key]] for key in ("ray", "point"))
            for row, bound in zip(truth["G_with_bounds"], truth["h_with_bounds"], strict=True):
                assert sum(Fraction(a) * d for a, d in zip(row, ray, strict=True)) <= 0
                assert sum(Fraction(a) * x for a, x in zip(row, point, strict=True)) <= Fraction(bound)
            for row in (*truth["P"], *truth["A"]):
                assert sum(Fraction(a) * d for a, d in zip(row, ray, strict=True)) == 0
            assert sum(Fraction(a) * d for a, d in zip(truth["q"], ray, strict=True)) < 0
        assert found["z"] is None
        assert found["dz_dq"] is None
        return
    assert exact["objective"] == truth["objective"]
    if not truth["z_unique"]:
        assert found["status"] == "not-unique"
        assert (found["z"], exact["face"], found["L_unique"]) == (None, truth["face"], truth["L_unique"])
        assert found["dz_dq"] is found["dL_dq"] is None
        return
    assert exact["z"] == truth["z"]
    for key in ("active", "strong", "exchangeable", "weak"):
        assert found[key] == [rows[i][2] for i in truth[key]], key
    assert found["multipliers_unique"] == truth["multipliers_unique"]
    assert exact["lambda_range"] == {rows[int(i)][2]: ends for i, ends in truth["lam_range"].items()}
    assert found["differentiable"] == dict(zip(("q", "q,h,b"), truth["differentiable"].values(), strict=True))
    assert exact["dz_dq"] == truth["dz_dq"]
    assert exact["dL_dq"] == truth["dL_dq"]
    assert exact["dz_db"] == truth["dz_db"]
    assert exact["dL_db"] == truth["dL_db"]
    for i, (key, place, label) in enumerate(rows):
        sign = -1 if key == "lb" else 1
        assert [row[place] for row in exact[f"dz_d{key}"]] == negated([row[i] for row in truth["dz_dh"]], sign), label
        assert exact[f"dL_d{key}"][place] == negated(truth["dL_dh"][i], sign), label
    assert exact["dL_dP"] == truth["dL_dP"]
    for key, size in (("dL_dG", len(truth["G"])), ("dL_dA", len(truth["A"]))):
        assert (exact[key] or []) == (truth[key] or [])[:size]
    expected: dict[str, Any] = {}
    for key, entries in truth.get("one_sided", {}).items():
        for entry in entries:
            i, sign, label = entry["of"], 1, f"q[z{entry['of'] + 1}]" if key == "q" else f"b{entry['of'] + 1}"
            if key == "h":
                sign, label = (-1 if rows[i][0] == "lb" else 1), rows[i][2]
            sides = ("left", "right")[::sign]
            expected[label] = {
                side: entry[own]
                if isinstance(entry[own], str)
                else {"dz": negated(entry[own], sign), "dL": negated(entry[f"dL_{own}"], sign)}
                for side, own in zip(("left", "right"), sides, strict=True)
            }
    assert exact["one_sided"] == expected


def test_the_table_shows_the_optimum_and_the_derivatives(run: Run) -> None:
    result = run("solve", "-", stdin=BAKERY)
    assert (result.returncode, result.stdout.partition("   ")[2], result.stderr) == (0, BAKERY_TABLE, "")


@pytest.mark.parametrize(("options", "expected"), [
    (("--format", "markdown"), "| **∂L/∂** | **-3/5** | **-3/10** | **1/5** |"),
    (("--format", "latex"), r"\text{bread} & -\frac{2}{5} & -\frac{1}{5} & -\frac{1}{5} \\"),
    (("--wrt", "P"), "  bread   -21/25    -18/25"),
    (("--wrt", "h"), "  ∂L/∂     1/5\n"),
    (("--digits", "2", "--wrt", "G"), "  oven    -0.76   -0.58"),
])  # fmt: skip
def test_formats_and_choices_of_a_page(run: Run, options: tuple[str, ...], expected: str) -> None:
    result = run("solve", "-", *options, stdin=BAKERY)
    assert (result.returncode, result.stderr) == (0, "")
    if "--digits" not in options:
        assert expected in result.stdout


LONG = """\
maximize: mu_of_the_first*w1 + mu_of_the_second*w2 - gamma/2*(s1*w1^2 + s2*w2^2)
subject_to: {budget of the whole year: w1 + w2 = 1, no short sale: w1 >= 0}
z: [w1, w2]
at: {mu_of_the_first: 1/10, mu_of_the_second: 1/5, gamma: 2, s1: 1/5, s2: 1/2}
dL_dz: [1, 0]
"""


@pytest.mark.parametrize("width", spread([60, 80, 120], 3))
@pytest.mark.parametrize("text", [BAKERY, LONG, *(json.dumps(document(truth)) for truth in TRUTH.values())])
def test_no_line_of_a_table_is_wider_than_the_terminal(run: Run, text: str, width: int) -> None:
    result = run("solve", "-", stdin=text, COLUMNS=str(width))
    assert result.returncode == 0
    assert max(map(len, result.stdout.splitlines())) <= width


@pytest.mark.parametrize("name", spread(TRUTH, 2))
def test_an_answer_in_yaml_is_read_again_and_holds(run: Run, name: str) -> None:
    written = run("solve", "-", "--format", "yaml", stdin=json.dumps(document(TRUTH[name])))
    assert (written.returncode, written.stderr) == (0, "")
    checked = run("check", "-", stdin=written.stdout)
    assert (checked.returncode, checked.stderr) == (0, "")
    again, first = (record_of(run, text) for text in (written.stdout, json.dumps(document(TRUTH[name]))))
    assert again["exact"] == first["exact"]
    if first["z"] and first["z"][0]:
        wrong = written.stdout.replace(f"  objective: {first['exact']['objective']}\n", "  objective: 12345\n")
        assert run("check", "-", stdin=wrong).returncode == 1


def test_a_program_in_letters_is_not_written_in_yaml(run: Run) -> None:
    result = run("solve", "--format", "yaml", "--minimize", "(z - x)^2", "--unknowns", "z", "--at", "x=1")
    assert (result.returncode, result.stdout) == (2, "")
    assert "a program in letters is not written again" in result.stderr


def test_only_the_gradient_is_printed_if_that_is_asked_for(run: Run) -> None:
    page = run("solve", "-", "--only", "dL_dx", stdin=BAKERY)
    assert (page.returncode, page.stderr) == (0, "")
    assert re.search(r"∂L/∂ +-3/5 +-3/10 +1/5\n", page.stdout)
    assert "∂z/∂" not in page.stdout
    found = record_of(run, BAKERY, "--only", "dL_dx")
    assert found["exact"]["dL_dq"] == ["-3/5", "-3/10"]
    assert found["dz_dq"] is found["dlambda_dh"] is found["exact"]["dz_db"] is None
    lacking = run("solve", "-", "--only", "dL_dx", stdin="q: [1]\nlb: 0\n")
    assert (lacking.returncode, lacking.stdout) == (2, "")
    assert "--only dL_dx needs dL_dz, and there is none. Give it in the file or with -g" in lacking.stderr


def test_a_kink_has_a_row_for_each_side(run: Run) -> None:
    result = run("solve", "-", stdin="P: [[1]]\nq: [0]\nlb: [0]\ndL_dz: [1]\n")
    assert (result.returncode, result.stderr) == (0, "")
    assert "lb[z1] is weakly active: its multiplier is 0, and each side of a change" in result.stdout
    rows = [line.split() for line in result.stdout.splitlines() if " left " in line or " right " in line]
    assert rows == [
        ["z1", "left", "-1", "0"], ["z1", "right", "0", "1"],
        ["∂L/∂", "left", "-1", "0"], ["∂L/∂", "right", "0", "1"],
    ]  # fmt: skip


@pytest.mark.parametrize(("requirement", "text", "code"), [
    ("differentiable", BAKERY, 0), ("optimal", BAKERY, 0), ("unique-z", BAKERY, 0),
    ("differentiable", "P: [[1]]\nq: [0]\nlb: 0\n", 1), ("unique-z", "P: [[1]]\nq: [0]\nlb: 0\n", 0),
    ("unique-z", "q: [0]\nlb: 0\n", 1), ("optimal", "q: [0]\nlb: 0\n", 0), ("optimal", "q: [-1]\nlb: 0\n", 1),
    ("determined", BAKERY, 1),
])  # fmt: skip
def test_requirements(run: Run, requirement: str, text: str, code: int) -> None:
    result = run("solve", "-", "--require", requirement, stdin=text)
    assert result.returncode == code
    assert (f"expected {requirement} (--require), got" in result.stderr) == (code == 1)


@pytest.mark.parametrize(("text", "message"), [
    ("P: [[1, 2], [3]]\nq: [1, 1]\n", "<stdin>:1:13: P[2] has 1 entry; expected 2, as in P[1]"),
    ("P: [[1, 2]]\nq: [1, 1]\n", "P is 1×2; expected 2×2"),
    ("P: [[1]]\nq: [1, 1]\n", "P is 1×1; expected 2×2"),
    ("q: [1, x]\n", "<stdin>:1:8: q[2]: expected a number such as"),
    ("q: [1, 1]\nG: [[1]]\nh: [1]\n", "G is 1×1; expected 2 columns, one for each unknown"),
    ("q: [1]\nG: [[1]]\nh: [1, 2]\n", "h has 2 entries; expected 1, one for each row of G"),
    ("q: [1]\nG: [[1]]\n", "G: expected h beside it, got none"),
    ("q: [1]\nb: [1]\n", "b: expected A beside it, got none"),
    ("q: [1]\nlb: [1, 2]\n", "lb has 2 entries; expected 1, one for each unknown"),
    ("q: [1, 2]\nlb: [nan, 0]\n", "<stdin>:2:6: lb[1]: expected a number or null, got nan"),
    ("q: [1]\nub: [-inf]\n", "ub[1]: expected a number, null or inf, got -inf"),
    ("q: [inf]\n", "q[1]: expected a number"),
    ("P: null\nq: [1]\n", "P: expected a list of rows, got"),
    ("q: []\n", "q: expected a list of numbers, at least one"),
    ("q: [1]\ndL_dz: [1, 2]\n", "dL_dz has 2 entries; expected 1, one for each unknown"),
    ("q: [1]\nnames: {z: [a, b]}\n", "names: z has 2 names; expected 1, one for each unknown"),
    ("q: [1, 1]\nnames: {z: [a, a]}\n", "names: z[2]: duplicate name 'a'"),
    ("q: [1, 1]\nnames: {z: [a, [b]]}\n", "names: z[2]: expected a name, got a list"),
    ("q: [1, 1]\nnames: {z: [a, '']}\n", "names: z[2]: expected a name, got an empty one"),
    ("q: [1, 1]\nnames: {z: a b}\n", "expected 2, one for each unknown. Names are separated by commas"),
    ("q: [1, 1]\nG: [[1, 1]]\nh: [1]\nnames: {z: [a, a], G: [a]}\n", "names: 'a' stands for two"),
    ("q: [1]\nnames: {y: [a]}\n", "names: unknown key 'y'; expected one of z, G, A"),
    ("q: [1]\nG: [[1]]\nh: [1]\nnames: {z: [a], G: [a]}\n", "names: 'a' stands for two"),
    ("q: [1]\nB: [[1]]\n", "unknown key 'B'; expected one of name, P, q"),
    ("A: [[1]]\nG: [[1]]\nh: [1]\n", "unknown key 'G'; expected one of name, A"),
    ("P: [[1, 0], [0, -1]]\nq: [0, 0]\n", "P: expected a convex objective, got vᵀPv = -1 at v: z2 = 1"),
    ("P: [[0, 1], [1, 0]]\n", "P: expected a convex objective, got vᵀPv = -2 at v: z1 = 1, z2 = -1"),
])  # fmt: skip
def test_bad_input_is_one_line_with_its_place(run: Run, text: str, message: str) -> None:
    result = run("solve", "-", stdin=text)
    assert (result.returncode, result.stdout) == (2, "")
    assert message.replace("<stdin>", "-") in result.stderr
    assert "Traceback" not in result.stderr


VERTEX = "P: [[1, 0], [0, 1]]\nq: [-3, -3]\nG: [[1, 0], [0, 1], [1, 1]]\nh: [1, 1, 2]\ndL_dz: [1, 1]\n"


def test_pieces_are_the_jacobians_of_all_sides(run: Run) -> None:
    found = record_of(run, VERTEX, "--pieces")
    by_active = {tuple(piece["active"]): piece["dz_dh"] for piece in found["exact"]["pieces"]}
    assert by_active == {
        ("h1", "h2"): [["1", "0", "0"], ["0", "1", "0"]],
        ("h1", "h3"): [["1", "0", "0"], ["-1", "0", "1"]],
        ("h2", "h3"): [["0", "-1", "1"], ["0", "1", "0"]],
        ("h3",): [["0", "0", "1/2"], ["0", "0", "1/2"]],
    }
    page = run("solve", "-", "--pieces", stdin=VERTEX)
    assert page.stdout.count("∂z/∂") == 5
    assert "where h1 and h3 are active" in page.stdout


@pytest.mark.parametrize(("direction", "expected"), [
    ("h1=1,h2=-1/2", {"dz": ["1/2", "-1/2"], "dL": "0"}),
    ("h3=1", {"dz": ["0", "0"], "dL": "0"}),
    ("h3=-2", {"dz": ["-1", "-1"], "dL": "-2"}),
    ("q[z1]=5", {"dz": ["0", "0"], "dL": "0"}),
])  # fmt: skip
def test_a_directional_derivative(run: Run, direction: str, expected: dict[str, Any]) -> None:
    found = record_of(run, VERTEX, "--direction", direction)
    assert found["exact"]["directional"]["derivative"] == expected
    assert "the derivative in the direction of" in run("solve", "-", "--direction", direction, stdin=VERTEX).stdout


@pytest.mark.parametrize(("direction", "message"), [
    ("h9=1", "direction: expected the name of a parameter, got 'h9'"),
    ("h1", "--direction: expected"), ("h1=x", "--direction: expected a number"), ("h1=1,h1=2", "each name once"),
])  # fmt: skip
def test_a_direction_that_makes_no_sense(run: Run, direction: str, message: str) -> None:
    result = run("solve", "-", "--direction", direction, stdin=VERTEX)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr


def test_steps_derive_the_gradients_as_optnet_does(run: Run) -> None:
    result = run("solve", "-", "--steps", stdin=BAKERY)
    assert (result.returncode, result.stderr) == (0, "")
    for text in (
        "oven: -bread + 2·cake = 2, active: its multiplier is 4/5",
        "lb[cake]: -cake = -17/10 < 0, inactive: its multiplier is 0",
        "[-1  2   0]   [dλ[oven]]   [     doven]",
        "u[λ[oven]] = 1/5",
        "∂L/∂q = −u_z = (-3/5, -3/10)",
        "[-19/25  -29/50]",
    ):
        assert text in result.stdout
    latex = run("solve", "-", "--steps", "--format", "latex", stdin=BAKERY)
    assert latex.returncode == 0
    assert r"P\cdot z + q + C^{\top}\cdot \lambda" in latex.stdout
    assert latex.stdout.count("$") % 2 == 0
    assert latex.stdout.count("{") == latex.stdout.count("}")


@pytest.mark.parametrize(("text", "message"), [
    ("q: [-1]\n", "--steps needs a solution, and the program is unbounded"),
    (json.dumps({"q": [1] * 9, "lb": 0}), "--steps is for at most 8 unknowns"),
])  # fmt: skip
def test_steps_that_nobody_reads_are_refused(run: Run, text: str, message: str) -> None:
    result = run("solve", "-", "--steps", stdin=text)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.parametrize("option", [("--free", "z1"), ("--rtol", "1e-9"), ("--order", "2")])
def test_options_of_linear_systems_are_refused(run: Run, option: tuple[str, str]) -> None:
    result = run("solve", "-", *option, stdin=BAKERY)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"{option[0]} is for linear systems and equations" in result.stderr


def test_lower_bound_above_upper_is_infeasible_and_names_both(run: Run) -> None:
    result = run("solve", "-", stdin="q: [1]\nlb: [2]\nub: [1]\n")
    assert (result.returncode, result.stderr) == (0, "")
    assert "1·lb[z1] + 1·ub[z1] says 0 ≤ -1" in result.stdout


ARRAYS = {
    "P": 2 * np.eye(2), "q": np.array([-2.0, -5]), "G": np.array([[1.0, 2], [-1, 2], [-1, -2]]),
    "h": np.array([6.0, 2, 2]), "lb": np.zeros(2), "dL_dz": np.ones(2),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome"), [
    ({}, ["7/5", "17/10"]),
    ({"A": None, "b": None, "ub": np.array([np.inf, np.inf])}, ["7/5", "17/10"]),
    ({"G": None, "h": None}, ["1", "5/2"]),
    ({"P": None}, "P: expected an array, got None"),
    ({"P": np.array([[2.0, 1], [0, 2]])}, "P: expected a symmetric matrix, got its upper triangle alone"),
    ({"q": np.array([np.nan, 0])}, "q[1]: expected a finite number, got nan"),
    ({"lb": np.array([np.nan, 0])}, "lb[1]: expected a number or null, got nan"),
    ({"r": np.ones(1)}, "unknown key 'r'; expected one of P, q, G"),
])  # fmt: skip
def test_npz_files_as_qpsolvers_writes_them(run: Run, tmp_path: Path, changes: dict[str, Any], outcome: Any) -> None:
    np.savez(tmp_path / "p.npz", **(ARRAYS | changes))
    result = run("solve", "p.npz", "--format", "json")
    if isinstance(outcome, str):
        assert (result.returncode, result.stdout) == (2, "")
        assert outcome in result.stderr
    else:
        assert (result.returncode, result.stderr) == (0, "")
        assert json.loads(result.stdout)["exact"]["z"] == outcome


def test_osqp_files_have_rows_between_two_bounds(run: Run, tmp_path: Path) -> None:
    A = np.array([[1.0, 2], [-1, 2], [1, 0], [1, 1]])
    l, u = np.array([-1e30, -5, 0, 3]), np.array([6, 2, np.inf, 3])  # noqa: E741 (OSQP's name)
    np.savez(tmp_path / "p.npz", P=np.array([[2.0, 1], [0, 2]]), q=ARRAYS["q"], A=A, l=l, u=u)
    found = json.loads(run("solve", "p.npz", "--format", "json").stdout)
    assert found["names"]["G"] == ["row2.lower", "row3.lower", "row1.upper", "row2.upper"]
    assert found["names"]["A"] == ["row4"]
    same = {"P": [[2, 1], [1, 2]], "q": [-2, -5], "G": [[1, -2], [-1, 0], [1, 2], [-1, 2]], "h": [5, 0, 6, 2]}
    assert found["exact"]["z"] == record(run, same | {"A": [[1, 1]], "b": [3]})["exact"]["z"]


def test_a_batch_answers_programs_beside_systems(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bakery.yaml").write_text(BAKERY)
    (tmp_path / "linear.yaml").write_text("A: [[1, 2], [3, 4]]\n")
    (tmp_path / "bad.yaml").write_text("P: [[-1]]\n")
    result = run("batch", "bakery.yaml", "linear.yaml", "bad.yaml")
    assert result.returncode == 2
    assert "3 systems: 1 determined, 1 differentiable, 1 failed" in result.stderr
    first, second, third = map(json.loads, result.stdout.splitlines())
    assert (first["kind"], first["z"], second["kind"]) == ("program", [1.4, 1.7], "linear")
    assert third["error"]["code"] == "not-convex"
    assert run("batch", "bakery.yaml", "linear.yaml", "-o", "out.npz").returncode == 0
    with np.load(tmp_path / "out.npz") as found:
        assert found["status"].tolist() == ["differentiable", "determined"]
        np.testing.assert_array_equal(found["z"], [[1.4, 1.7], [np.nan, np.nan]])
        np.testing.assert_array_equal(found["lambda"][0], [0, 0.8, 0])
        np.testing.assert_allclose(found["dy_dx"][1], [[-2, 1], [1.5, -0.5]])


def test_solve_writes_the_numbers_of_a_program_into_an_npz_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bakery.yaml").write_text(BAKERY)
    result = run("solve", "bakery.yaml", "-o", "out.npz")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    with np.load(tmp_path / "out.npz") as found:
        assert str(found["status"]) == "differentiable"
        np.testing.assert_array_equal(found["dz_dh"], [[0, -0.2, 0], [0, 0.4, 0]])
        np.testing.assert_array_equal(found["dL_dP"], [[-0.84, -0.72], [-0.72, -0.51]])
    refused = run("solve", "bakery.yaml", "-o", "z.npy")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no place for a quadratic program" in refused.stderr


class Tensor:
    """An array of another library, which numpy.asarray converts."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.values, dtype=dtype)


@pytest.mark.parametrize("convert", [list, np.array, Tensor], ids=["lists", "arrays", "tensors"])
def test_python_solves_programs(convert: Callable[[Any], Any]) -> None:
    found = implicitgrad.solve_program(
        convert([[2, 0], [0, 2]]), convert([-2, -5]), convert([[1, 2], [-1, 2], [-1, -2]]), convert([6, 2, 2]),
        lb=0, dL_dz=convert([1, 1]), names={"z": ["bread", "cake"]},
    )  # fmt: skip
    assert isinstance(found, implicitgrad.ProgramSolution)
    assert found.status is implicitgrad.ProgramStatus.DIFFERENTIABLE
    assert found.z == (Fraction(7, 5), Fraction(17, 10))
    assert found.derivatives is not None
    assert found.derivatives.losses[0][:2] == (Fraction(-3, 5), Fraction(-3, 10))
    with pytest.raises(implicitgrad.InputError, match="P is 1×1; expected 3×3"):
        implicitgrad.solve_program([[1]], [1, 2, 3])


def test_latex_sets_words_and_formulas_apart(run: Run) -> None:
    arguments = ("--minimize", "z1^2/2", "--subject-to", "z1 <= -c^2", "--subject-to", "-z1 <= -c^2", "--subject-to")
    result = run("solve", *arguments, "z1 <= d", "--unknowns", "z1", "--at", "c=0,d=0", "-f", "latex")
    assert (result.returncode, result.stderr) == (0, "")
    for line in (
        r"Their rows satisfy $h_{1} - h_{3} = 0$.",
        r"\text{z1} & 0 & \text{h1} & \geq  0 & \text{exchangeable} \\",
        r"\text{z1 left} & \text{not decided} & \text{infeasible} \\",
    ):
        assert f"\n{line}\n" in result.stdout


def test_markdown_escapes_the_names_of_dependent_constraints_once(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text('z: [z1]\nminimize: z1^2\nsubject_to: {"a*1": z1 >= 1, "a*2": 2*z1 >= 2}\ndL_dz: [1]\n')
    result = run("solve", str(path), "-f", "markdown")
    assert (result.returncode, result.stderr) == (0, "")
    assert "\ntheir rows satisfy 2·a\\*1 − a\\*2 = 0\n" in result.stdout
