"""implicitgrad check, run as a user runs it: what it prints, where, and with which exit code."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Run

GOOD = "A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\nexpect:\n  status: determined\n  dL_dx: [-0.5, 0.5]\n"
WRONG = "A: [[1, 2], [3, 4]]\ndL_dy: [1, 2]\nexpect:\n  rank: 2\n  dL_dx:\n    - 0\n    - 1/2\n"
SILENT = "A: [[3, 5]]\ndL_dy: [7, 11]\n"
LOOSE = "A: [[3, 5]]\ndL_dy: [7, 11]\nexpect: {dL_dx: [1]}\n"
BROKEN = "A: [[1, 2], [3 4], [5]]\n"
WRONG_SAID = """\
wrong.yaml:5:3: dL_dx fails: 2 of 2 entries
  worst dL_dx[1] (∂L/∂x1): claimed 0, correct is 1, difference -1
  the claim equals A⁻¹·∂L/∂y: was the transpose forgotten?
"""
BROKEN_SAID = """\
implicitgrad: broken.yaml:1:14: A[2][1]: expected a number such as -12, 0.5, 1e-3 or 3/4, got '3 4'. Is a comma missing?
implicitgrad: broken.yaml:1:20: A[3] has 1 entry; expected 2, as in A[1]
"""
INLINE = ("-A", "1 2; 3 4", "-g", "1 1")


def test_a_table_has_a_line_a_claim_failures_below_and_totals_last(run: Run) -> None:
    files = {"good.yaml": GOOD, "wrong.yaml": WRONG, "silent.yaml": SILENT, "loose.yaml": LOOSE}
    result = run("check", *files, files=files)
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout == (
        """\
system        claim    verdict   claimed
────────────────────────────────────────────────────────
good.yaml     status   holds     determined
              dL_dx    holds     -0.5 0.5
wrong.yaml    rank     holds     2
              dL_dx    FAILS     0 1/2
silent.yaml            open      solved, nothing claimed
loose.yaml    dL_dx    holds     1"""
        "                         chooses ∂y1/∂x1 = -3; fixes nothing: ∂L/∂y is not in the row space of A,"
        f""" and for any ∂L/∂x there is a ∂y/∂x that yields it

{WRONG_SAID}
5 claims about 4 systems: 4 hold, 1 fails; 1 system solved, nothing claimed
"""
    )


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"good.yaml": GOOD}, 0),
        ({"good.yaml": GOOD, "silent.yaml": SILENT}, 0),
        ({"wrong.yaml": WRONG}, 1),
        ({"good.yaml": GOOD, "wrong.yaml": WRONG}, 1),
        ({"broken.yaml": BROKEN}, 2),
        ({"broken.yaml": BROKEN, "good.yaml": GOOD}, 2),
        ({"broken.yaml": BROKEN, "wrong.yaml": WRONG, "good.yaml": GOOD}, 2),
    ],
)
def test_the_exit_code_says_whether_all_hold_one_fails_or_one_cannot_be_read(
    run: Run, files: dict[str, str | bytes], code: int
) -> None:
    for form in ("table", "json"):
        result = run("check", ".", "--format", form, files=files)
        assert result.returncode == code
        for name in files:
            assert name in result.stdout
    assert run("check", ".", files=files).stderr == (BROKEN_SAID if code == 2 else "")


def test_files_that_cannot_be_read_are_said_and_the_rest_is_checked(run: Run) -> None:
    result = run("check", "broken.yaml", "none.yaml", "wrong.yaml", files={"broken.yaml": BROKEN, "wrong.yaml": WRONG})
    assert result.returncode == 2
    assert result.stderr == BROKEN_SAID + "implicitgrad: none.yaml: cannot be read: No such file or directory\n"
    assert WRONG_SAID in result.stdout
    assert "broken.yaml           ERROR     not read\n" in result.stdout
    assert result.stdout.endswith("\n2 claims about 1 system: 1 holds, 1 fails; 2 files not read\n")


def test_quiet_prints_failures_only(run: Run) -> None:
    result = run("check", ".", "--quiet", files={"good.yaml": GOOD, "silent.yaml": SILENT})
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    result = run("check", ".", "-q", files={"wrong.yaml": WRONG, "broken.yaml": BROKEN})
    assert (result.returncode, result.stdout, result.stderr) == (2, WRONG_SAID, BROKEN_SAID)


def test_strict_wants_claims_that_fix_something(run: Run) -> None:
    result = run("check", ".", "--strict", "-q", files={"good.yaml": GOOD})
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    result = run("check", ".", "--strict", files={"silent.yaml": SILENT, "loose.yaml": LOOSE})
    assert result.returncode == 1
    assert "silent.yaml   expect   FAILS     solved, nothing claimed\n" in result.stdout
    assert "\nsilent.yaml: expect fails: nothing is claimed\n" in result.stdout
    assert "\nloose.yaml:3:10: dL_dx fails: it fixes nothing: ∂L/∂y is not in the row space of A" in result.stdout
    assert result.stdout.endswith("4 claims about 3 systems: 2 hold, 2 fail\n")
    as_json = run("check", ".", "--strict", "--format", "json")
    assert as_json.returncode == 1
    assert [json.loads(line)["holds"] for line in as_json.stdout.splitlines()] == [True, False, False]


def test_directories_are_searched_and_patterns_leave_out(run: Run, tmp_path: Path) -> None:
    for folder in ("deep/er", ".hidden", "specs"):
        (tmp_path / folder).mkdir(parents=True)
    files: dict[str, str | bytes] = {
        "b.yaml": GOOD, "a.yml": GOOD, "c.json": '{"A": [[1]], "expect": {"rank": 1}}', "d.csv": "1,2\n3,4\n",
        "deep/er/e.YAML": GOOD, "notes.txt": "no", ".hidden/f.yaml": BROKEN, ".g.yaml": BROKEN, "specs/h.yaml": BROKEN,
        "deep/spec.yaml": BROKEN,
    }  # fmt: skip
    result = run("check", ".", "--exclude", "spec*", "--format", "json", files=files)
    assert (result.returncode, result.stderr) == (0, "")
    sources = [json.loads(line)["source"] for line in result.stdout.splitlines()]
    assert sources == ["a.yml", "b.yaml", "c.json", "d.csv", "deep/er/e.YAML"]
    twice = run("check", ".", "./b.yaml", "b.yaml", "--exclude", "specs/", "--exclude", "deep/spec.yaml", "-f", "json")
    assert twice.stdout == result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (),
            "expected files or directories to check, - for standard input, -A, -e or --minimize. See implicitgrad "
            "check --help",
        ),
        (("empty",), "empty: a directory without a system's file; expected *.yaml, *.yml, *.json, *.csv, "
         "*.npz"),
        (("good.yaml", "--exclude", "*.yaml"), "expected a file to check, got none: --exclude leaves all out"),
        (("good.yaml", "-A", "1"),
         "expected a system's file or -A, got both. Leave out one of them"),
        (("-A", "1", "--max-condition", "big"),
         "--max-condition: expected a number such as -12, 0.5, 1e-3 or 3/4, got 'big'"),
        (("-A", "1", "--rtol", "-1"), "--rtol: expected a number of 0 or more, got '-1'"),
        (("-A", "1", "--atol", "nan"),
         "--atol: expected a number such as -12, 0.5, 1e-3 or 3/4, got 'nan'. "
            "Missing and infinite values are not read"),
        (("-A", "1", "--dldx", "1"),
         "--dldx:1:1: dL_dx needs dL_dy, and there is none. Give it in the file or with -g"),
        (("-A", "1 2", "-g", "1 2", "--dldx", "1 2"),
         "--dldx:1:1: dL_dx has 2 entries; expected 1, one for each input x"),
        (("-A", "1", "--dydx", "-"),
         "--dydx: expected a value, got '-'. @FILE reads it from a file, @- from standard input"),
        (("-", "--dldx", "@-"), "standard input can be read once; expected - in one place only"),
        (("good.yaml", "--output", "good.yaml"), "--output good.yaml is the input; expected another file"),
        (("good.yaml", "--junit", "good.yaml"), "--junit good.yaml is the input; expected another file"),
        (("good.yaml", "--junit", ""), "expected a file's name, got ''"),
        (("--update", "good.yaml", "--dldx", "1 1"),
         "--update writes what a file expects; expected files alone, without claims or -A, -B, -g"),
        (("--update", "good.yaml", "--junit", "report.xml"),
         "--update prints a diff; expected it without --strict, --format, --output, --junit or --quiet"),
        (("--yes", "good.yaml"), "--yes lets --update write; expected --update with it"),
        (("good.yaml", "--junit", "-"), "--junit: expected a file, got -, where the report goes"),
        (("good.yaml", "--junit", "a", "-o", "./a"), "--junit and --output name the same file; expected two"),
        (("good.yaml", "1/2"), "expected a file or directory, got '1/2'. A value with blanks needs quotes: -g '1 1'"),
        (("good.yaml", "--dldx", "1 2 3"),
         "good.yaml: --dldx: dL_dx has 3 entries; expected 2, one for each input x"),
        (("--update", "good.yaml", "--time-limit", "1"), "--time-limit is for checks; expected --update without it"),
        (("--update", "-"), "--update writes files; expected none of them to be -"),
    ],
)  # fmt: skip
def test_bad_usage_is_one_line_and_never_a_pass(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no")
    result = run("check", *arguments, files={"good.yaml": GOOD})
    assert result.returncode == 2
    assert result.stderr == f"implicitgrad: {message}\n"
    assert (tmp_path / "good.yaml").read_text() == GOOD


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("{status: singular}", "expect.status: expected one of determined, underdetermined, overdetermined, "
         "rank-deficient, got 'singular'"),
        ("{rank: two}", "expect.rank: expected a number such as -12, 0.5, 1e-3 or 3/4, got 'two'"),
        ("{dL_dx: [1, x]}", "3:21: expect.dL_dx[2]: expected a number such as -12, 0.5, 1e-3 or 3/4, got 'x'"),
        ("{dL_dx: [1]}", "expect.dL_dx has 1 entry; expected 2, one for each input x"),
        ("{dL_dx_unique: maybe}", "expect.dL_dx_unique: expected true or false, got 'maybe'"),
        ("{condition: 100}", "expect.condition: expected {max: 100}, got '100'"),
        ("{condition: {most: 100}}", "expect.condition: unknown key 'most'; expected max"),
        ("{tolerance: {rtol: 1, rtol: 2}}", "expect: duplicate key 'rtol', first on line 3. Keep one of them"),
        ("{constraints: []}",
         "expect.constraints: expected {dependent: [x2], matrix: [[2]]}, or null for none, got a list"),
        ("{free_parameters: [z]}", "expect.free_parameters[1]: expected an entry of ∂y/∂x such as dy1/dx1, got 'z'"),
        ("{grad: 1}", "expect: unknown key 'grad'; expected one of status, rank, dy_dx, dL_dx, dL_dA, dL_dB, "
         "free_parameters, dL_dx_unique, constraints, condition, tolerance"),
        ("[1]", "expect: expected a mapping, got a list"),
    ],
)  # fmt: skip
def test_a_claim_that_makes_no_sense_is_an_error_at_its_place(run: Run, expect: str, message: str) -> None:
    result = run("check", "-", stdin=f"A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\nexpect: {expect}\n")
    assert result.returncode == 2
    first, *rest = result.stderr.splitlines()
    assert not rest
    assert first.startswith("implicitgrad: -:3:")
    assert first.endswith(message)
    assert "not read" in result.stdout


def test_options_claim_and_take_the_place_of_what_the_file_says(run: Run) -> None:
    files: dict[str, str | bytes] = {"wrong.yaml": WRONG}
    result = run("check", "wrong.yaml", "--dldx", "1 0", files=files)
    assert (result.returncode, result.stderr) == (0, "")
    assert "dL_dx (--dldx)   holds     1 0\n" in result.stdout
    assert run("check", "wrong.yaml", "-g", "1 3", "--rtol", "0").returncode == 1
    assert run("check", "wrong.yaml", "--dldx", "1.01 0", "--atol", "0.1").returncode == 0
    assert run("check", "wrong.yaml", "--dldx", "1.01 0", "--atol", "0.001").returncode == 1
    result = run("check", "wrong.yaml", "--require", "overdetermined", "--require", "unique-dL_dx", "-q")
    assert result.returncode == 1
    assert "wrong.yaml: status (--require) fails: claimed overdetermined, correct is determined" in result.stdout
    assert run("check", *INLINE, "--max-condition", "15").returncode == 0
    result = run("check", *INLINE, "--max-condition", "14.9", "-q")
    assert result.returncode == 1
    assert result.stdout == ("<inline>: condition (--max-condition) fails: claimed at most 14.9, found 15\n")


def test_a_claim_may_come_from_a_file_of_any_format(run: Run, tmp_path: Path) -> None:
    A, g = np.array([[1.0, 2.0], [3.0, 4.1]]), np.array([1.0, 1.0])
    np.save(tmp_path / "g.npy", np.linalg.solve(A.T, g))
    np.save(tmp_path / "g32.npy", np.linalg.solve(A.T, g).astype(np.float32))
    np.save(tmp_path / "J.npy", np.linalg.inv(A))
    np.save(tmp_path / "wrong.npy", np.linalg.solve(A, g))
    np.save(tmp_path / "names.npy", np.array(["a", "b"]))
    np.save(tmp_path / "objects.npy", np.array([None, 1], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "archive.npz", g)
    (tmp_path / "archive.npz").rename(tmp_path / "archive.npy")
    files: dict[str, str | bytes] = {"bad.npy": b"\x93NUMPY" + b"x" * 20}
    system = ("-A", "1 2; 3 4.1", "-g", "1 1")
    exact = run("solve", *system, "--format", "json")
    right = json.loads(exact.stdout)["exact"]["dL_dx"]
    files |= {"g.csv": ",".join(right) + "\n", "g.yaml": f"[{', '.join(right)}]\n", "g.txt": " ".join(right)}
    for name in ("g.npy", "g32.npy", "g.csv", "g.yaml", "g.txt"):
        result = run("check", *system, "--dldx", f"@{name}", files=files)
        assert (result.returncode, result.stderr) == (0, ""), name
    assert run("check", *system, "--dydx", "@J.npy").returncode == 0
    result = run("check", *system, "--dldx", "@wrong.npy", "-q")
    assert result.returncode == 1
    assert "dL_dx (wrong.npy) fails" in result.stdout
    assert "was the transpose forgotten?" in result.stdout
    for name, message in (
        ("names.npy", "expected an array of integers or floats, got <U1"),
        ("archive.npy", "expected a NumPy .npy file, got something else"),
        ("objects.npy", "not a readable .npy file: it holds Python objects"),
        ("bad.npy", "not a readable .npy file: "),
        ("none.npy", "cannot be read: No such file or directory"),
    ):
        result = run("check", *system, "--dldx", f"@{name}")
        assert (result.returncode, result.stdout) == (2, ""), name
        assert result.stderr.startswith(f"implicitgrad: {name}: {message}")


def test_csv_claims_in_a_comment(run: Run) -> None:
    text = "# a table\n#expect: {rank: 2, dL_dx: [-1/2, 1]}\n,y1,y2\nx1,1,2\nx2,3,4\ndL/dy,1,1\n"
    result = run("check", "t.csv", "-q", files={"t.csv": text})
    assert result.returncode == 1
    assert result.stdout == (
        "t.csv:2:20: dL_dx fails: 1 of 2 entries\n  dL_dx[2] (∂L/∂x2): claimed 1, correct is 1/2, difference 1/2\n"
    )
    assert run("solve", "t.csv").returncode == 0
    for claims, message in (
        ("# expect: rank 2", "t.csv:1:11: expect: expected a mapping, got 'rank 2'"),
        ("# expect: {rank: 2}\n# expect: {rank: 2}", "t.csv:2:1: duplicate comment '# expect:', first on line 1"),
        ("# expect: {rank: 2", "t.csv:2:1: not valid YAML: "),
        ("# expect:", "t.csv: expect: expected a mapping, got nothing"),
        ("# expect: {rank: 2},", "t.csv:1:"),
        ("# Expected: {rank: 2}", "t.csv:1:1: expected a claim as # expect: {...}, got '# Expected: {rank: 2}'"),
    ):
        result = run("check", "t.csv", files={"t.csv": f"{claims}\n1,2\n3,4\n"})
        assert result.returncode == 2
        assert result.stderr.startswith(f"implicitgrad: {message}"), claims
        assert "Traceback" not in result.stderr
        assert run("solve", "t.csv").returncode == 0


def test_json_has_one_object_a_system_and_what_is_wrong_with_a_claim(run: Run) -> None:
    result = run("check", "wrong.yaml", "broken.yaml", "-f", "json", files={"wrong.yaml": WRONG, "broken.yaml": BROKEN})
    wrong, broken = map(json.loads, result.stdout.splitlines())
    assert (wrong["name"], wrong["source"], wrong["status"], wrong["holds"]) == (
        "wrong", "wrong.yaml", "determined", False,
    )  # fmt: skip
    assert [claim["holds"] for claim in wrong["claims"]] == [True, False]
    assert wrong["claims"][1] == {
        "claim": "dL_dx",
        "holds": False,
        "undecided": False,
        "claimed": "0 1/2",
        "reason": "2 of 2 entries",
        "failing": 2,
        "worst": {
            "entry": "dL_dx[1]",
            "meaning": "∂L/∂x1",
            "claimed": 0,
            "correct": 1,
            "difference": -1,
            "tolerance": 0,
            "exact": {"claimed": "0", "correct": "1", "difference": "-1", "tolerance": "0"},
        },
        "suspicions": [{"code": "transpose", "message": "the claim equals A⁻¹·∂L/∂y: was the transpose forgotten?"}],
        "choices": [],
        "fixes_nothing": None,
        "source": "wrong.yaml",
        "line": 5,
        "column": 3,
    }
    assert broken["source"] == "broken.yaml"
    assert broken["error"]["line"] == 1
    assert [json.loads(line)["error"]["column"] for line in result.stderr.splitlines()] == [14, 20]
    result = run("check", "-f", "json", "-A", "3 5", "-g", "7 11", "--dydx", "1/6; 1/10")
    (choice,) = json.loads(result.stdout)["claims"][0]["choices"]
    assert choice["exact"] == {"coefficients": {"dy1/dx1": "1"}, "value": "1/6"}


def test_junit_is_valid_and_counts(run: Run, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "good.yaml": GOOD, "wrong.yaml": WRONG, "silent.yaml": SILENT, "broken.yaml": BROKEN,
        "odd.yaml": 'A: [[1, 2]]\ny: ["<&\\e>", "\\uFFFE"]\nexpect: {dy_dx: [1, 1], rank: 1}\n',
    }  # fmt: skip
    import xmlschema

    schema = xmlschema.XMLSchema(str(Path(__file__).with_name("junit.xsd")))
    for options, counts in (((), "8 2 1 1"), (("--strict",), "8 3 1 0")):
        result = run("check", ".", "--junit", "report.xml", *options, files=files)
        assert result.returncode == 2
        text = (tmp_path / "report.xml").read_text("utf-8")
        schema.validate(text)
        suite = schema.to_dict(text)
        assert isinstance(suite, dict)
        assert " ".join(str(suite[f"@{key}"]) for key in ("tests", "failures", "errors", "skipped")) == counts
    failure = next(case["failure"] for case in suite["testcase"] if "failure" in case)
    assert failure[0]["@type"] == "dL_dx" or failure[0]["@type"] == "dy_dx"
    assert "was the transpose forgotten?" in text
    assert ">wrong.yaml:5:3: worst dL_dx[1]" in text  # where the claim stands


def test_annotations_point_at_the_claims_own_line(run: Run, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"good.yaml": GOOD, "a,b: 100%.yaml": WRONG, "broken.yaml": BROKEN}
    result = run("check", "good.yaml", "a,b: 100%.yaml", "broken.yaml", "--github", "-q", files=files)
    lines = [line for line in result.stdout.splitlines() if line.startswith("::")]
    assert lines == [
        "::error file=broken.yaml,line=1,col=14,title=not read::A[2][1]: expected a number such as -12, 0.5, 1e-3 or"
        " 3/4, got '3 4'. Is a comma missing?",
        "::error file=broken.yaml,line=1,col=20,title=not read::A[3] has 1 entry; expected 2, as in A[1]",
        "::error file=a%2Cb%3A 100%25.yaml,line=5,col=3,title=dL_dx fails::worst dL_dx[1] (∂L/∂x1): claimed 0,"
        " correct is 1, difference -1; 2 of 2 entries%0Athe claim equals A⁻¹·∂L/∂y: was the transpose forgotten?",
    ]
    by_environment = run("check", "a,b: 100%.yaml", "-q", GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(tmp_path.parent))
    assert f"::error file={tmp_path.name}/a%2Cb%3A 100%25.yaml,line=5,col=3," in by_environment.stdout
    assert "::" not in run("check", "a,b: 100%.yaml", "--no-github", GITHUB_ACTIONS="true").stdout
    result = run("check", "good.yaml", "--format", "json", "--github", "--dldx", "1 1")
    json.loads(result.stdout)
    assert result.stderr.startswith("::error file=good.yaml,title=dL_dx fails::worst dL_dx[")
    assert "::" not in run("check", "good.yaml", "--github").stdout
    assert run("check", "good.yaml", "--github", "--format", "json").stderr == ""


def test_the_report_goes_to_a_file_whole(run: Run, tmp_path: Path) -> None:
    result = run("check", "good.yaml", "--output", "report.txt", files={"good.yaml": GOOD}, COLUMNS="20")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / "report.txt").read_text("utf-8") == run("check", "good.yaml").stdout
    assert run("check", "good.yaml", "--output", "report.json").returncode == 0
    assert (tmp_path / "report.json").read_text("utf-8") == run("check", "good.yaml", "-f", "json").stdout
    assert run("check", "good.yaml", "--output", "report.json", "--format", "table").returncode == 0
    assert (tmp_path / "report.json").read_text("utf-8") == (tmp_path / "report.txt").read_text("utf-8")
    result = run("check", "good.yaml", "--output", "/nowhere/report.txt")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "implicitgrad: /nowhere/report.txt: cannot be written: No such file or directory\n"


def test_a_narrow_screen_has_the_notes_below_and_colour_only_where_asked(run: Run) -> None:
    result = run("check", "loose.yaml", files={"loose.yaml": LOOSE}, COLUMNS="60")
    assert max(map(len, result.stdout.splitlines())) <= 60
    assert "\n             chooses ∂y1/∂x1 = -3; fixes nothing: " in result.stdout
    assert "\x1b" not in result.stdout
    colored = run("check", "loose.yaml", COLUMNS="60", FORCE_COLOR="1").stdout
    assert "\x1b[38;5;28mholds\x1b[0m" in colored
    import re

    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == result.stdout
    in_ascii = run("check", "loose.yaml", PYTHONIOENCODING="ascii")
    assert "chooses dy1/dx1 = -3; fixes nothing: dL/dy is not" in in_ascii.stdout


def test_names_that_a_terminal_acts_on_are_shown_as_they_are(run: Run) -> None:
    text = 'A: [[1, 2]]\ny: ["\\e[31m", "[red]"]\nx: ["\\u202e"]\nexpect: {dy_dx: [1, 1], free_parameters: []}\n'
    result = run("check", "-", stdin=text, FORCE_COLOR="1")
    assert result.returncode == 1
    assert "\x1b[31m," not in result.stdout
    assert "∂\\x1b[31m/∂\\u202e + 2·∂[red]/∂\\u202e" in result.stdout
    assert "\u202e" not in result.stdout


def test_all_documents_of_a_file_are_checked_each_with_its_own_claims(run: Run) -> None:
    text = f"{GOOD}---\n{WRONG}---\n{SILENT}"
    result = run("check", "all.yaml", files={"all.yaml": text})
    assert result.returncode == 1
    assert "\nall.yaml:11:3: dL_dx fails: 2 of 2 entries\n" in result.stdout
    assert "all.yaml#3" in result.stdout
    result = run("check", "all.yaml", files={"all.yaml": f"{GOOD}---\nA: [[1]]\nexpect: {{rank: x}}\n---\n{BROKEN}"})
    assert result.returncode == 2
    assert result.stdout.endswith("0 claims about 0 systems: 0 hold, 0 fail; 1 file not read\n")


def test_the_gradient_of_the_files_other_loss_is_recognised(run: Run) -> None:
    text = "name: first\nA: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\nexpect: {dL_dx: [1, 0]}\n---\nname: second\n"
    text += "A: [[1, 2], [3, 4]]\ndL_dy: [1, 2]\n"
    result = run("check", "two.yaml", "-q", files={"two.yaml": text})
    assert "the claim equals ∂L/∂x of two.yaml#2 (second): is it the gradient of another loss?" in result.stdout


def test_a_claim_from_a_file_of_its_own_is_placed_in_that_file(run: Run) -> None:
    files: dict[str, str | bytes] = {"good.yaml": GOOD, "claim.csv": "# mine\n1,1\n"}
    result = run("check", "good.yaml", "--dldx", "@claim.csv", "--github", files=files)
    assert "\ngood.yaml: dL_dx (claim.csv) fails: 2 of 2 entries\n" in result.stdout
    assert "::error file=claim.csv,line=2,col=1,title=dL_dx of good.yaml fails::" in result.stdout


@pytest.mark.parametrize("columns", [20, 40, 60])
def test_a_screen_too_narrow_for_columns_has_each_system_above_its_claims(run: Run, columns: int) -> None:
    files: dict[str, str | bytes] = {"good.yaml": GOOD, "wrong.yaml": WRONG, "silent.yaml": SILENT}
    result = run("check", ".", files=files, COLUMNS=str(columns))
    assert result.returncode == 1
    words = result.stdout.split()
    assert [words.count(word) for word in ("holds", "FAILS", "open")] == [3, 1, 1] if columns > 50 else True
    if columns == 40:
        assert result.stdout.startswith(
            "good.yaml\n  holds status: determined\n  holds dL_dx: -0.5 0.5\n"
            "silent.yaml\n  open solved, nothing claimed\nwrong.yaml\n  holds rank: 2\n  FAILS dL_dx: 0 1/2\n\n"
        )
    assert max(map(len, result.stdout.splitlines())) <= max(columns, 24 + 4)


def test_output_is_whole_where_python_is_unbuffered(run: Run, tmp_path: Path) -> None:
    import subprocess

    from conftest import PROGRAM

    (tmp_path / "many.yaml").write_text("---\n".join([GOOD] * 100))
    command = f"(ulimit -f 4; PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 {PROGRAM} check many.yaml > out; echo $?)"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout == "2\n"
    assert result.stderr == "implicitgrad: standard output cannot be written: File too large\n"
    piped = subprocess.run(
        ["bash", "-c", f"PYTHONUNBUFFERED=1 {PROGRAM} check many.yaml | cat"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert piped.stdout.endswith("200 claims about 100 systems: 200 hold, 0 fail\n")


def test_csv_options_are_for_the_csv_files_among_others(run: Run) -> None:
    files: dict[str, str | bytes] = {"good.yaml": GOOD, "t.csv": "# expect: {rank: 2}\n1,5;2\n3;5\n"}
    result = run("check", ".", "--delimiter", ";", "--decimal", ",", files=files)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("3 claims about 2 systems: 3 hold, 0 fail\n")


def test_a_reader_that_goes_away_and_a_full_disk(run: Run, tmp_path: Path) -> None:
    import subprocess

    from conftest import PROGRAM

    (tmp_path / "good.yaml").write_text(GOOD)
    command = f"{PROGRAM} check good.yaml | true; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.strip() in ("0", "141")
    assert result.stderr == ""
    if Path("/dev/full").exists():
        command = f"{PROGRAM} check good.yaml > /dev/full; echo $?"
        result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert result.stdout == "2\n"
        assert result.stderr == "implicitgrad: standard output cannot be written: No space left on device\n"


def test_a_bad_entry_of_a_column_is_pointed_at_in_its_own_place(run: Run) -> None:
    result = run("check", "-", stdin="A: [[1, 1]]\nexpect: {dy_dx: [1, x]}\n")
    assert result.returncode == 2
    assert result.stderr.startswith("implicitgrad: -:2:21: expect.dy_dx[2]: expected a number such as")


@pytest.mark.parametrize("written", ["true", "True", "TRUE"])
def test_a_truth_may_be_written_as_yaml_has_it(run: Run, written: str) -> None:
    result = run("check", "-", "-q", stdin=f"A: [[1]]\ndL_dy: [1]\nexpect: {{dL_dx_unique: {written}}}\n")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_tolerance_among_the_options_takes_the_place_of_the_files_whole_tolerance(run: Run) -> None:
    files: dict[str, str | bytes] = {"a.yaml": "A: [[1]]\ndL_dy: [1]\nexpect: {dL_dx: [1.5], tolerance: {atol: 1}}\n"}
    assert run("check", "a.yaml", "-q", files=files).returncode == 0
    result = run("check", "a.yaml", "--rtol", "0.01", "-q")
    assert (result.returncode, result.stderr) == (1, "")
    assert ", allowed 3/200\n" in result.stdout or ", allowed 0.015\n" in result.stdout


def test_arrays_of_other_types_and_shapes_are_read_or_refused(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "half.npy", np.array([1 / 3], dtype=np.float16))
    np.save(tmp_path / "long.npy", np.array([1], dtype=np.longdouble))
    np.save(tmp_path / "scalar.npy", np.array(1.0))
    np.save(tmp_path / "cube.npy", np.ones((1, 1, 1)))
    np.save(tmp_path / "complex.npy", np.array([1j]))
    result = run("check", "-A", "3", "-g", "1", "--dldx", "@half.npy", "-q")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    for name, message in (
        (
            "long.npy",
            f"expected an array of integers or floats of at most 64 bits, got {np.dtype(np.longdouble)}."
            " A.astype(float) is one",
        ),
        ("complex.npy", "expected an array of integers or floats, got complex128"),
        ("scalar.npy", "expected one or two dimensions, got 0"),
        (
            "cube.npy",
            "dL_dx: expected P or K×P beside one system, got the shape 1×1×1. Leading axes are for a stack, an A of"
            " shape S×M×N",
        ),
    ):
        result = run("check", "-A", "1", "-g", "1", "--dldx", f"@{name}")
        assert (result.returncode, result.stdout) == (2, ""), name
        assert result.stderr == f"implicitgrad: {name}: {message}\n"


def test_a_csv_claim_may_be_indented_and_a_broken_one_is_told_how_to_write_it(run: Run) -> None:
    files: dict[str, str | bytes] = {"t.csv": " \t# expect: {rank: 1}\n1,2\n3,4\n"}
    result = run("check", "t.csv", "-q", files=files)
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout == "t.csv:1:14: rank fails: claimed 1, correct is 2\n"
    result = run("check", "t.csv", files={"t.csv": "# expect: rank\n1,2\n3,4\n"})
    assert result.returncode == 2
    assert result.stderr == (
        "implicitgrad: t.csv:1:11: expect: expected a mapping, got 'rank'."
        " A claim is one mapping on one line: # expect: {rank: 2}\n"
    )


def test_of_many_free_parameters_three_are_said(run: Run) -> None:
    for A, J, said in (
        ("1 1 1 1", "0; 1; 2; -2", "chooses ∂y1/∂x1 = 0, ∂y2/∂x1 = 1, ∂y3/∂x1 = 2\n"),
        ("1 1 1 1 1 1", "0; 1; 2; -2; 0; 0", "∂y3/∂x1 = 2 and 2 more\n"),
    ):
        result = run("check", "-A", A, "--dydx", J)
        assert (result.returncode, result.stderr) == (0, "")
        assert said in result.stdout


def test_wide_names_keep_the_columns_and_plain_letters_are_used_where_there_is_no_other(run: Run) -> None:
    result = run("check", "系统.yaml", "b.yaml", files={"系统.yaml": GOOD, "b.yaml": GOOD})
    assert "\n系统.yaml   status   holds     determined\n" in result.stdout
    assert "\nb.yaml      status   holds     determined\n" in result.stdout
    result = run("check", "b.yaml", "--dldx", "1 2", PYTHONIOENCODING="ascii")
    assert result.returncode == 1
    assert "\n  worst dL_dx[1] (dL/dx1): claimed 1," in result.stdout
    assert result.stdout.isascii()


def test_json_is_ascii_and_null_where_there_is_nothing_to_say(run: Run) -> None:
    files: dict[str, str | bytes] = {"good.yaml": "name: ∂\n" + GOOD, "broken.yaml": BROKEN}
    result = run("check", "good.yaml", "broken.yaml", "-f", "json", files=files)
    assert result.returncode == 2
    assert result.stdout.isascii()
    good, broken = map(json.loads, result.stdout.splitlines())
    assert good["name"] == "∂"
    assert [claim["reason"] for claim in good["claims"]] == [None, None]
    assert broken["error"]["column"] == 14  # the first of its two
    result = run("check", "good.yaml", "-f", "json", "-q")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_junit_has_the_worst_entry_as_its_message_and_escapes_what_xml_lacks(run: Run, tmp_path: Path) -> None:
    result = run("check", "w\x01.yaml", "--junit", "report.xml", files={"w\x01.yaml": WRONG})
    assert (result.returncode, result.stderr) == (1, "")
    text = (tmp_path / "report.xml").read_text("utf-8")
    assert 'classname="w\\x01.yaml" name="dL_dx"' in text
    message = "worst dL_dx[1] (∂L/∂x1): claimed 0, correct is 1, difference -1; 2 of 2 entries"
    assert f'<failure type="dL_dx" message="{message}">w\\x01.yaml:5:3: {message}\nthe claim equals' in text


def test_annotations_name_files_as_github_knows_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    files: dict[str, str | bytes] = {"all.yaml": f"{GOOD}---\n{WRONG}", "broken.yaml": BROKEN}
    outside = run("check", "all.yaml", "-q", files=files, GITHUB_ACTIONS="true",
                  GITHUB_WORKSPACE=str(tmp_path / "elsewhere"))  # fmt: skip
    assert outside.returncode == 1
    assert "\n::error file=all.yaml,line=11,col=3,title=dL_dx fails::worst dL_dx[" in outside.stdout
    from_input = run("check", "-", "-q", "--github", stdin=WRONG)
    assert "\n::error title=dL_dx fails::worst dL_dx[" in from_input.stdout
    by_option = run("check", "all.yaml", "-q", "--github", "--require", "overdetermined")
    assert "\n::error file=all.yaml,title=status fails::claimed overdetermined, correct is" in by_option.stdout
    assert "\n::error file=all.yaml,title=status of all.yaml#2 fails::" not in by_option.stdout
    inline = run("check", *INLINE, "--dldx", "1 1", "-q", "--github")
    assert "\n::error title=dL_dx fails::worst dL_dx[" in inline.stdout
    assert "::" not in run("check", "all.yaml", GITHUB_ACTIONS="false").stdout
    result = run("check", "all.yaml", "-f", "json", "-o", "report.json", "--github")
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.startswith("::error file=all.yaml,line=11,col=3,")


def test_no_input_is_overwritten_however_it_came(run: Run, tmp_path: Path) -> None:
    run("check", ".", files={"good.yaml": GOOD, "claim.csv": "1,1\n"})
    for arguments in (
        (".", "--output", "good.yaml"),
        (".", "--junit", "good.yaml"),
        ("good.yaml", "--dldx", "@claim.csv", "--output", "claim.csv"),
    ):
        result = run("check", *arguments)
        assert (result.returncode, result.stdout) == (2, "")
        option, name = arguments[-2:]
        assert result.stderr == f"implicitgrad: {option} {name} is the input; expected another file\n"
    assert (tmp_path / "good.yaml").read_text() == GOOD
    assert (tmp_path / "claim.csv").read_text() == "1,1\n"


def test_a_report_to_a_lone_hyphen_is_printed(run: Run, tmp_path: Path) -> None:
    result = run("check", "good.yaml", "--output", "-", files={"good.yaml": GOOD})
    assert (result.returncode, result.stdout) == (0, run("check", "good.yaml").stdout)
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize(
    "options", [("--strict",), ("--require", "determined"), ("-q",), ("-f", "json"), ("-o", "x"), ("-g", "1")]
)
def test_what_says_nothing_to_an_update_is_refused_with_it(run: Run, tmp_path: Path, options: tuple[str, ...]) -> None:
    wrong = "A: [[1]]\nexpect: {rank: 2}\n"
    result = run("check", "--update", "a.yaml", *options, files={"a.yaml": wrong})
    assert (result.returncode, result.stdout) == (2, "")
    assert "--update" in result.stderr
    assert (tmp_path / "a.yaml").read_text() == wrong


def test_a_file_may_be_named_as_a_number_and_left_out_by_its_whole_path(run: Run, tmp_path: Path) -> None:
    result = run("check", "1", "-q", files={"1": GOOD, "good.yaml": GOOD, "b.yaml": BROKEN})
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    result = run("check", ".", "--exclude", str(tmp_path / "b.yaml"), "-f", "json")
    assert (result.returncode, result.stderr) == (0, "")
    assert [json.loads(line)["source"] for line in result.stdout.splitlines()] == ["good.yaml"]


def test_csv_options_do_not_mind_how_yaml_is_spelt_and_are_refused_without_a_file(run: Run) -> None:
    result = run("check", "a.YAML", "t.csv", "--delimiter", ";", "-q", files={"a.YAML": GOOD, "t.csv": "1;2\n3;5\n"})
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    result = run("check", "-A", "1", "--delimiter", ";")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "implicitgrad: --delimiter, --decimal, --header and --index are for CSV, and nothing is read from a file\n"
    )


def test_losses_of_systems_with_other_matrices_are_not_taken_for_this_ones(run: Run) -> None:
    text = "A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\nexpect: {dL_dx: [7, 3]}\n---\n"
    for other in ("A: [[1, 2], [3, 4]]\nB: [[14, 6], [0, 0]]\ndL_dy: [1, 1]\n", "A: [[1, 0], [0, 1]]\ndL_dy: [7, 3]\n"):
        result = run("check", "-", "-q", stdin=text + other)
        assert (result.returncode, result.stderr) == (1, "")
        assert "another loss" not in result.stdout


def test_a_condition_that_nothing_has_is_a_claim_that_fails(run: Run) -> None:
    result = run("check", "-A", "1", "--max-condition", "-1", "-q")
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout == "<inline>: condition (--max-condition) fails: claimed at most -1, found 1\n"


def test_a_passing_claim_in_floating_point_says_how_far_off_it_is(run: Run) -> None:
    claim = "-2.0000000000000004 1.0000000000000002; 1.5000000000000002 -0.5000000000000001"
    result = run("check", "-A", "1 2; 3 4", "--dydx", claim)
    assert (result.returncode, result.stderr) == (0, "")
    assert (
        result.stdout
        == """\
system     claim            verdict   claimed
─────────────────────────────────────────────
<inline>   dy_dx (--dydx)   holds     2×2       largest difference 4e-16, allowed ≈4.00e-14

1 claim about 1 system: 1 holds, 0 fail
"""
    )
    (said,) = json.loads(run("check", "-A", "1 2; 3 4", "--dydx", claim, "--format", "json").stdout)["claims"]
    worst = said["worst"]
    assert (said["holds"], said["failing"], worst["entry"], worst["correct"]) == (True, 0, "dy_dx[1][1]", -2)
    assert abs(worst["difference"]) == 4e-16 < worst["tolerance"]
    exact = run("check", "-A", "1 2; 3 4", "--dydx", "-2 1; 1.5 -0.5", "--format", "json").stdout
    assert json.loads(exact)["claims"][0]["worst"] is None


def test_a_claim_that_proves_nothing_is_no_pass(run: Run) -> None:
    result = run("check", "-A", "3 5", "--dydx", "1.0e+3; -6.0e+2")
    assert (result.returncode, result.stderr) == (1, "")
    assert (
        result.stdout
        == """\
system     claim            verdict     claimed
───────────────────────────────────────────────────────
<inline>   dy_dx (--dydx)   undecided   1.0e+3; -6.0e+2

<inline>: dy_dx (--dydx) is not decided: it proves nothing: its own rounding allows an error of 50 in dy_dx[1][1], \
where what the system determines is of the size ≈0.121; more digits decide

1 claim about 1 system: 0 hold, 0 fail, 1 undecided
"""
    )


@pytest.mark.parametrize("A", ["3; 9007199254740989; 0", "7e300; 1e-5", "3 1; 1 3; 9007199254740991 1"])
def test_constraints_as_doubles_hold_where_they_are_the_nearest(run: Run, A: str) -> None:
    record = json.loads(run("solve", "-A", A, "-f", "json").stdout)
    rows = [row.split() for row in A.split(";")]

    def checked() -> int:
        claims = {"constraints": record["constraints"]}
        return run("check", "s.json", files={"s.json": json.dumps({"A": rows, "expect": claims})}).returncode

    assert checked() == 0
    record["constraints"]["matrix"][0][0] *= 1 + 2.0**-48
    assert checked() == 1


@pytest.mark.parametrize(
    "A", ["1 1e-20; 0 3", "1e399 0; 0 1", "1 0; 3 1e-399", "1.00000000000000000001; 3; 1", "1e-300; 9e399"]
)
def test_a_record_whose_doubles_lose_numbers_holds_by_its_exact_ones(run: Run, A: str) -> None:
    rows = [row.split() for row in A.split(";")]
    record = json.loads(run("solve", "-A", A, "-f", "json").stdout)

    def checked() -> set[int]:
        text = json.dumps({"A": rows, "expect": record})
        return {run("check", file, files={file: text}).returncode for file in ("s.json", "s.jsonl")}

    assert checked() == {0}
    if record["constraints"] is None:
        record["dy_dx"][-1][0] = 5
    else:
        record["constraints"]["matrix"][0][0] = 5
    assert checked() == {1}
