"""check --update: what was found is written, and nothing else in the file changes."""

import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import PROGRAM, Run, examples
from hypothesis import given
from hypothesis import strategies as st

from implicitgrad import read_systems
from implicitgrad.__main__ import run as run_in_process

BLOCK = """\
# a system
A: [[1, 2],
    [3, 4]]   # two equations
dL_dy: [1, 1]
expect:       # what should be
  status: underdetermined  # is it?
  rank: 2
  dL_dx:
  - -0.5      # right to its digit
  # a comment between
  - 1         # wrong

  # the end
name: two
"""


def test_only_what_is_wrong_is_written_and_a_diff_shows_it(run: Run, tmp_path: Path) -> None:
    result = run("check", "--update", "a.yaml", files={"a.yaml": BLOCK})
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (
        """\
--- a/a.yaml
+++ b/a.yaml
@@ -3,12 +3,12 @@
     [3, 4]]   # two equations
 dL_dy: [1, 1]
 expect:       # what should be
-  status: underdetermined  # is it?
+  status: determined  # is it?
   rank: 2
   dL_dx:
   - -0.5      # right to its digit
   # a comment between
-  - 1         # wrong
+  - 1/2         # wrong

   # the end
 name: two
""".replace("\n\n", "\n \n")
    )
    expected = BLOCK.replace("underdetermined", "determined").replace("- 1 ", "- 1/2 ")
    assert (tmp_path / "a.yaml").read_text() == expected
    again = run("check", "--update", "a.yaml")
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == "implicitgrad: nothing to update, every claim holds\n"
    assert run("check", "a.yaml", "--strict").returncode == 0


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a.yaml", "A: [[1, 2], [3, 4]] # c\ndL_dy: [1, 1]",
         "A: [[1, 2], [3, 4]] # c\ndL_dy: [1, 1]\nexpect:\n  status: determined\n  rank: 2\n  dL_dx: [-1/2, 1/2]"),
        ("a.yaml", "A: [[2]]  # c\r\n\r\n# end\r\n",
         "A: [[2]]  # c\r\nexpect:\r\n  status: determined\r\n  rank: 1\r\n  dy_dx: [[1/2]]\r\n\r\n# end\r\n"),
        ("a.yaml", "A: [[1, 2]]\ny: [\"a b\", yes]\n---\n{A: [[1]], expect: {rank: 2}}\n",
         "A: [[1, 2]]\ny: [\"a b\", yes]\nexpect:\n  status: underdetermined\n  rank: 1\n"
         "  free_parameters: [da b/dx1]\n---\n{A: [[1]], expect: {rank: 1}}\n"),
        ("a.json", '{"A": [[1, 2], [3, 4]]}', '{"A": [[1, 2], [3, 4]], "expect": {"status": "determined", "rank": 2, '
         '"dy_dx": [[-2, 1], ["3/2", "-1/2"]]}}'),
        ("a.json", '{\n  "A": [[2]],\n  "dL_dy": [3]\n}\n',
         '{\n  "A": [[2]],\n  "dL_dy": [3],\n  "expect": {"status": "determined", "rank": 1, "dL_dx": ["3/2"]}\n}\n'),
        ("a.json", '{"expect": {"dL_dx": [1], "rank": 3}, "A": [[2]], "dL_dy": [3]}',
         '{"expect": {"dL_dx": ["3/2"], "rank": 1}, "A": [[2]], "dL_dy": [3]}'),
        ("a.csv", "# c\n# expect: {rank: 1, dy_dx: [[1, 0], [0, 1]]}\n2,0\n0,1\n",
         "# c\n# expect: {rank: 2, dy_dx: [[1/2, 0], [0, 1]]}\n2,0\n0,1\n"),
        ("a.csv", "# expect: {}\n2,0\n0,1\n",
         "# expect: {status: determined, rank: 2, dy_dx: [[1/2, 0], [0, 1]]}\n2,0\n0,1\n"),
        ("a.csv", "# c\r2,0\r0,1\r",
         "# c\r# expect: {status: determined, rank: 2, dy_dx: [[1/2, 0], [0, 1]]}\r2,0\r0,1\r"),
        ("a.csv", "# c\n2,0\n0,1\n",
         "# c\n# expect: {status: determined, rank: 2, dy_dx: [[1/2, 0], [0, 1]]}\n2,0\n0,1\n"),
        ("a.yaml", "A: [[1, 0], [0, 1], [1, 1]]\nexpect:\n  constraints: null\n  dy_dx: [[1, 0, 0], [0, 1, 1]]\n",
         "A: [[1, 0], [0, 1], [1, 1]]\nexpect:\n  constraints: {dependent: [x3], matrix: [[1, 1]]}\n"
         "  dy_dx: [[null, null, null], [null, null, null]]\n"),
        ("a.yaml", "A: [[3, 5], [1, 1]]\nexpect: {dy_dx: [1], free_parameters: 2, condition: {max: 3}}\n",
         "A: [[3, 5], [1, 1]]\nexpect: {dy_dx: [[-1/2, 5/2], [1/2, -3/2]], free_parameters: 0, "
         "condition: {max: 18}}\n"),
        ("a.yaml", "A: [[3, 5]]\ndL_dy: [7, 11]\nexpect:\n  dL_dx_unique: true\n  free_parameters: [dy1/dx1, dy2/dx1]\n"
         "  dy_dx: [1/6, 1/10]\n",
         "A: [[3, 5]]\ndL_dy: [7, 11]\nexpect:\n  dL_dx_unique: false\n  free_parameters: [dy1/dx1]\n"
         "  dy_dx: [1/6, 1/10]\n"),
        ("a.yaml", "\ufeffA: [[4]]\nexpect: {dy_dx: [[0.4]]}\n", "\ufeffA: [[4]]\nexpect: {dy_dx: [[1/4]]}\n"),
        ("a.yaml", "A: [[4]]\nexpect: {}\n", "A: [[4]]\nexpect: {status: determined, rank: 1, dy_dx: [[1/4]]}\n"),
    ],
)  # fmt: skip
def test_the_rest_of_the_file_stays_as_it_was(run: Run, tmp_path: Path, name: str, before: str, after: str) -> None:
    result = run("check", "--update", name, files={name: before})
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / name).read_bytes().decode() == after
    assert run("check", name).returncode == 0
    if name.endswith(".json"):
        import json

        json.loads(after)


def test_on_a_terminal_nothing_is_written_without_yes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BLOCK)
    for options, code in (((), 2), (("--yes",), 0)):
        controller, terminal = pty.openpty()
        process = subprocess.run(
            [PROGRAM, "check", "--update", "a.yaml", *options],
            cwd=tmp_path, stdin=terminal, stdout=terminal, stderr=subprocess.PIPE, check=False, timeout=60,
        )  # fmt: skip
        os.close(terminal)
        shown = os.read(controller, 10_000).decode()
        os.close(controller)
        assert "+  status: determined  # is it?" in shown
        assert process.returncode == code
        if code:
            assert process.stderr.decode() == (
                "implicitgrad: nothing was written. If the diff is right, --yes writes it\n"
            )
            assert (tmp_path / "a.yaml").read_text() == BLOCK
    assert run("check", "a.yaml").returncode == 0


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.yaml": "A: [[1, 2], [3 4]]\n"}, "a.yaml:1:14: A[2][1]: expected a number"),
        ({"a.yaml": "A: [[1]]\nexpect: {tolerance: {rtol: x}, rank: 2}\n"},
         "a.yaml:2:28: expect.tolerance.rtol: expected"),
        ({"a.yaml": "A: [[0]]\nexpect: {condition: {max: 3}}\n"}, "a.yaml: what is expected cannot be changed"),
        ({"a.yaml": "A: [[1]]\nexpect: {tolerance: {rtol: 1}}\n"}, "a.yaml: expect has a tolerance and no claim"),
        ({"a.yaml": "\ufeffA: [[1]]\n".encode("utf-16-le")},
         "a.yaml: expected UTF-8 text, which is what --update writes"),
        ({"a.yaml": "A: [[1]]\nexpect: {status: [1]}\n", "b.yaml": "A: [["}, "b.yaml:2:1: not valid YAML"),
    ],
)  # fmt: skip
def test_what_cannot_be_updated_is_said_and_left_alone(
    run: Run, tmp_path: Path, files: dict[str, str | bytes], message: str
) -> None:
    result = run("check", "--update", ".", files=files)
    assert result.returncode == 2
    assert f"implicitgrad: {message}" in result.stderr
    bad = message.partition(":")[0]
    content = files[bad]
    assert (tmp_path / bad).read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert not list(tmp_path.glob(".implicitgrad-*"))


numbers = st.integers(-3, 3).map(str)


@st.composite
def claims(draw: st.DrawFn) -> str:
    """A mapping of some claims about a 2×2 system, mostly wrong, in one of several layouts."""
    found: dict[str, Any] = {
        "status": "determined", "rank": draw(numbers), "dL_dx": [draw(numbers), draw(numbers)],
        "dy_dx": [[draw(numbers), draw(numbers)], [draw(numbers), draw(numbers)]], "free_parameters": draw(numbers),
        "dL_dx_unique": draw(st.sampled_from(["true", "false"])), "constraints": draw(st.sampled_from(["null", "~"])),
        "condition": {"max": draw(st.integers(0, 40).map(str))},
    }  # fmt: skip
    keys = draw(st.lists(st.sampled_from(sorted(found)), min_size=1, unique=True))
    lines = []
    for key in keys:
        value = found[key]
        comment = draw(st.sampled_from(["", "  # why"]))
        if isinstance(value, list) and not isinstance(value[0], list) and draw(st.booleans()):
            dash = draw(st.sampled_from(["  - ", "    - "]))
            lines += [f"  {key}:{comment}", *(f"{dash}{item}{comment}" for item in value)]
        elif isinstance(value, dict) and draw(st.booleans()):
            lines += [f"  {key}:", *(f"     {name}: '{item}'{comment}" for name, item in value.items())]
        else:
            lines.append(f"  {key}: {str(value).replace(chr(39), '')}{comment}")
    return "\n".join(lines) + "\n"


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=2), claims())
@examples(30)
def test_after_an_update_all_claims_hold_and_the_systems_are_what_they_were(
    tmp_path: Path, matrices: list[tuple[str, ...]], expect: str
) -> None:
    path = tmp_path / "a.yaml"
    text = "---\n".join(
        f"A: [[{a}, {b}], [{c}, {d}]] # c\ndL_dy: [1, 2]\nexpect:\n{expect}# end\n" for a, b, c, d in matrices
    )
    path.write_text(text)
    before = read_systems(path)
    code = run_in_process(["check", "--update", str(path), "--yes"])
    if code:
        assert code == 2
        assert path.read_text() == text  # condition of A = 0, of which none holds
        assert "condition" in expect
        return
    assert read_systems(path) == before
    assert run_in_process(["check", str(path), "--quiet"]) == 0
    assert path.read_text().count("#") == text.count("#")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a.JSON", '{"A": [[2]], "dL_dy": [3], "expect": {"dL_dx": [1]}}',
         '{"A": [[2]], "dL_dy": [3], "expect": {"dL_dx": ["3/2"]}}'),
        ("a.yaml", "A: [[1], [2]]\nx: [a, yes]\nexpect: {constraints: null}\n",
         "A: [[1], [2]]\nx: [a, yes]\nexpect: {constraints: {dependent: [\"yes\"], matrix: [[2]]}}\n"),
        ("a.yaml", "A: [[1], [2]]\nx: [a, \"b: #c\"]\nexpect: {constraints: null}\n",
         "A: [[1], [2]]\nx: [a, \"b: #c\"]\nexpect: {constraints: {dependent: [\"b: #c\"], matrix: [[2]]}}\n"),
        ("a.json", '{"A": [[1], [2]], "x": ["a", "∂"], "expect": {"constraints": null}}',
         '{"A": [[1], [2]], "x": ["a", "∂"], "expect": {"constraints": {"dependent": ["∂"], "matrix": [[2]]}}}'),
        ("a.yaml", "A: [[1, 1]]\nexpect: {dy_dx: [3, 4], rank: 1}\n",
         "A: [[1, 1]]\nexpect: {dy_dx: [null, null], rank: 1}\n"),
        ("a.yaml", "A: [[2], [3]]\nB: [[2], [3]]\nexpect: {dy_dx: [4]}\n",
         "A: [[2], [3]]\nB: [[2], [3]]\nexpect: {dy_dx: [1]}\n"),
        ("a.yaml", "A: [[2, 0], [0, 1]]\nB: [[2], [3]]\nexpect: {dy_dx: [1, 4]}\n",
         "A: [[2, 0], [0, 1]]\nB: [[2], [3]]\nexpect: {dy_dx: [1, 3]}\n"),
        ("a.yaml", "A: [[3, 0], [0, 1]]\ndL_dy: [1, 1]\nexpect: {dL_dx: [0.33, 2], tolerance: {atol: 0.1}}\n",
         "A: [[3, 0], [0, 1]]\ndL_dy: [1, 1]\nexpect: {dL_dx: [0.33, 1], tolerance: {atol: 0.1}}\n"),
        ("a.yaml", "A: [[3, 0], [0, 1]]\ndL_dy: [1, 1]\nexpect: {condition: {max: 3}}\n",
         "A: [[3, 0], [0, 1]]\ndL_dy: [1, 1]\nexpect: {condition: {max: 167/50}}\n"),
        ("a.yaml", "A: [[123456789012345678901]]\ndL_dy: [123456789012345678907]\nexpect: {dL_dx: [2]}\n",
         "A: [[123456789012345678901]]\ndL_dy: [123456789012345678907]\nexpect: {dL_dx: [1.00000000000000e+0]}\n"),
        ("a.yaml", "A: [[1]]\n# c\nB: [[2]]\nexpect: {}  # d",
         "A: [[1]]\n# c\nB: [[2]]\nexpect: {status: determined, rank: 1, dy_dx: [[2]]}  # d"),
        ("a.yaml", "A: [[1]]\n...\n# c\n",
         "A: [[1]]\nexpect:\n  status: determined\n  rank: 1\n  dy_dx: [[1]]\n...\n# c\n"),
    ],
)  # fmt: skip
def test_what_is_written_is_as_little_as_can_be_and_reads_back(
    run: Run, tmp_path: Path, name: str, before: str, after: str
) -> None:
    result = run("check", "--update", name, files={name: before})
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / name).read_bytes().decode() == after
    assert run("check", name).returncode == 0


def test_a_long_matrix_is_written_a_row_a_line(run: Run, tmp_path: Path) -> None:
    n = 8
    rows = ", ".join(str([13 * (i + 1) if i == j else 0 for j in range(n)]) for i in range(n))
    result = run("check", "--update", "a.yaml", files={"a.yaml": f"A: [{rows}]\n"})
    assert (result.returncode, result.stderr) == (0, "")
    lines = (tmp_path / "a.yaml").read_text().splitlines()[1:]
    assert lines[:4] == ["expect:", "  status: determined", "  rank: 8", "  dy_dx:"]
    assert lines[4] == "    - [1/13, 0, 0, 0, 0, 0, 0, 0]"
    assert len(lines) == 4 + n


def test_a_claim_beside_one_that_makes_no_sense_any_more_is_kept(run: Run, tmp_path: Path) -> None:
    text = "A: [[1, 2], [3, 4]]\nexpect: {dy_dx: [1, 2, 3], rank: 2, status: determined}\n"
    result = run("check", "--update", "a.yaml", files={"a.yaml": text})
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "a.yaml").read_text() == text.replace("[1, 2, 3]", "[[-2, 1], [3/2, -1/2]]")


@pytest.mark.parametrize("streams", ["stdin", "stdout"])
def test_one_terminal_is_enough_to_want_yes(run: Run, tmp_path: Path, streams: str) -> None:
    (tmp_path / "a.yaml").write_text(BLOCK)
    controller, terminal = pty.openpty()
    given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE} | {streams: terminal}
    result = subprocess.run(
        [PROGRAM, "check", "--update", "a.yaml"], cwd=tmp_path, stderr=subprocess.PIPE, check=False, timeout=60, **given
    )
    os.close(terminal)
    os.close(controller)
    assert result.returncode == 2
    assert result.stderr.decode() == "implicitgrad: nothing was written. If the diff is right, --yes writes it\n"
    assert (tmp_path / "a.yaml").read_text() == BLOCK


def test_a_diff_shows_a_terminal_nothing_that_it_acts_on(run: Run, tmp_path: Path) -> None:
    text = "A: [[1]]\t# \u202etab\nexpect: {rank: 2}\n"
    result = run("check", "--update", "a.yaml", files={"a.yaml": text})
    assert (result.returncode, result.stderr) == (0, "")
    assert "\n A: [[1]]\t# \\u202etab\n-expect: {rank: 2}\n+expect: {rank: 1}\n" in result.stdout
    assert (tmp_path / "a.yaml").read_text() == text.replace("2}", "1}")


def test_where_something_could_not_be_read_nothing_is_said_to_hold(run: Run) -> None:
    files: dict[str, str | bytes] = {"good.yaml": "A: [[1]]\nexpect: {rank: 1}\n", "bad.yaml": "A: [["}
    result = run("check", "--update", ".", files=files)
    assert (result.returncode, result.stdout) == (2, "")
    assert "nothing to update" not in result.stderr


def test_what_cannot_be_shown_is_not_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BLOCK)
    if Path("/dev/full").exists():
        command = f"{PROGRAM} check --update a.yaml > /dev/full"
        result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=False)
        assert result.returncode == 2
        assert result.stderr == b"implicitgrad: standard output cannot be written: No space left on device\n"
        assert (tmp_path / "a.yaml").read_text() == BLOCK
    assert not list(tmp_path.glob(".implicitgrad-*"))


def test_a_condition_is_rounded_up_to_three_digits(run: Run, tmp_path: Path) -> None:
    for entry, most in (("3", "167/50"), ("7", "143/20"), ("1000", "1010"), ("11", "111/10")):
        text = f"A: [[{entry}, 0], [0, 1]]\nexpect: {{condition: {{max: 0}}}}\n"
        result = run("check", "--update", "a.yaml", files={"a.yaml": text})
        assert (result.returncode, result.stderr) == (0, "")
        assert (tmp_path / "a.yaml").read_text() == text.replace("max: 0", f"max: {most}")


def test_an_entry_within_its_tolerance_is_left_as_it_is_written(run: Run, tmp_path: Path) -> None:
    text = "A: [[3, 0], [0, 1]]\ndL_dy: [1, 1]\nexpect: {dL_dx: [0.33, 2]}\n"
    result = run("check", "--update", "a.yaml", files={"a.yaml": text})
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "a.yaml").read_text() == text.replace("2]", "1]")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A: [[1, 2]]\nexpect:\n  dy_dx:\n  - [1]  # one\n  - [2]\n",
         "A: [[1, 2]]\nexpect:\n  dy_dx:\n  - [null]  # one\n  - [null]\n"),
        ("A: [[1], [2]]\nexpect:\n  constraints:\n    dependent: [x2]  # it follows\n    matrix: [[3]]  # by this\n",
         "A: [[1], [2]]\nexpect:\n  constraints:\n    dependent: [x2]  # it follows\n    matrix: [[2]]  # by this\n"),
        ("A: [[1]]\nexpect:\n  condition:\n    max: 1/2  # at most\n",
         "A: [[1]]\nexpect:\n  condition:\n    max: 1  # at most\n"),
        ("A: [[1, 2]]\nexpect:\n  free_parameters:\n  - dy2/dx1\n  - nothing\n",
         "A: [[1, 2]]\nexpect:\n  free_parameters:\n    [dy1/dx1]\n"),
    ],
)  # fmt: skip
def test_comments_and_layout_beside_a_new_value_stay(run: Run, tmp_path: Path, before: str, after: str) -> None:
    result = run("check", "--update", "a.yaml", files={"a.yaml": before})
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "a.yaml").read_text() == after
    assert run("check", "a.yaml").returncode == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A: [[a, b], [c, d]]\ndL_dy: [1, 1]\n", 'dL_dx: ["(d - c)/(a*d - b*c)", "(a - b)/(a*d - b*c)"]'),
        ("equations: ['x**2 + y**2 = 25']\ny: [y]\nexpect: {dy_dx: [[-x/z]]}\n", 'expect: {dy_dx: [["-x/y"]]}'),
        ("equations: [x = a*y + b]\ny: [y]\nx: [x]\nexpect: {dy_dx: [[1/b]], rank: 1}\n", '[["1/a"]], rank: 1}'),
        ("equations: ['x**2 + y**2 = 25']\ny: [y]\nat: {x: 3, y: 4}\nexpect: {dy_dx: [[1]]}\n", "{dy_dx: [[-3/4]]}"),
        ("equations: [F = 9/5*C + 32, K = C + 273.15]\ny: [C]\nexpect: {rank: 2}\n", "expect: {rank: 1}"),
        ("equations: [x = y**2]\ny: [y]\nat: {x: 2, y: 1}\nsolve_for: y\nexpect: {dy_dx: [[1]]}\n",
         "expect: {dy_dx: [[0.353553390593273"),  # √2/4 at a point that is rounded
    ],
)  # fmt: skip
def test_claims_about_letters_and_equations_are_updated_too(run: Run, tmp_path: Path, text: str, expected: str) -> None:
    result = run("check", "--update", "a.yaml", files={"a.yaml": text})
    assert (result.returncode, result.stderr) == (0, "")
    after = (tmp_path / "a.yaml").read_text()
    assert expected in after
    assert after.startswith(text.partition("expect")[0])
    assert run("check", "a.yaml", "--strict").returncode == 0


def test_a_claim_that_is_not_decided_is_not_said_to_hold(run: Run, tmp_path: Path) -> None:
    text = "equations: ['x**2 + y**2 = 25']\ny: [y]\nat: {x: 2, y: 4.58258}\nexpect:\n  dy_dx: [[-0.436436]]\n"
    result = run("check", "--update", "a.yaml", files={"a.yaml": text})
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("implicitgrad: a.yaml:5:3: dy_dx is not decided: the point is rounded, and decides")
    assert (tmp_path / "a.yaml").read_text() == text
