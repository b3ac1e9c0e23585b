"""implicitgrad solve, run as a user runs it: options, exit codes and both streams."""

import errno
import json
import os
import pty
import re
import signal
import subprocess
from pathlib import Path

import pytest
from command import wait_until_blocked
from conftest import PROGRAM, Run

from implicitgrad import OutputError
from implicitgrad.readers.files import fifo as reading

TWO = {"two.yaml": "A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]\n"}
TABLE = """\
two.yaml   x = A·y   2 equations, 2 unknowns
determined: rank 2 of 2, condition 15, exact

  ∂y/∂x     x1     x2
 ────────────────────
  y1        -2      1
  y2       3/2   -1/2

  ∂L/∂x   -1/2    1/2
"""


def answer(run: Run, *arguments: str, **options: object) -> dict[str, object]:
    result = run("solve", "--format", "json", *arguments, **options)
    assert (result.returncode, result.stderr) == (0, "")
    record: dict[str, object] = json.loads(result.stdout)
    return record


def refused(run: Run, *arguments: str, **options: object) -> str:
    """The one line that says why; nothing else happens."""
    result = run(*arguments, **options)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("implicitgrad: ")
    assert "Traceback" not in result.stderr
    return result.stderr.removeprefix("implicitgrad: ").rstrip("\n")


def test_a_table_is_what_one_gets(run: Run) -> None:
    result = run("solve", "two.yaml", files=TWO)
    assert (result.returncode, result.stdout, result.stderr) == (0, TABLE, "")


def test_standard_input_is_read_as_yaml_or_with_a_delimiter_as_csv(run: Run) -> None:
    record = answer(run, "-", stdin="A: [[1, 2], [3, 4]]\ndL_dy: [1, 1]")
    assert (record["name"], record["source"], record["dL_dx"]) == ("-", "-", [-0.5, 0.5])
    record = answer(run, "-", "--delimiter", ",", stdin=",a,b\np,1,2\nq,3,4\ndL/dy,1,1\n")
    assert (record["y"], record["x"], record["dL_dx"]) == (["a", "b"], ["p", "q"], [-0.5, 0.5])


@pytest.mark.parametrize(
    "gradient", [["-g", "-1 2"], ["--dldy=-1,2"], ["--dldy", "-1, 2"], ["-g", "[-1 2]"], ["-g-1 2"]]
)
def test_negative_values_are_values(run: Run, gradient: list[str]) -> None:
    record = answer(run, "-A", "-2 1; 1 -3", *gradient)
    assert (record["source"], record["exact"]["dL_dx"]) == ("<inline>", ["1/5", "-3/5"])  # type: ignore[index]


def test_a_value_is_read_from_a_file_of_any_format(run: Run) -> None:
    files = {"A.csv": "1,2\n3,4\n", "A.yaml": "[[1, 2], [3, 4]]", "A.txt": "1 2\n3 4\n", "g.tsv": "1\t1\n", **TWO}
    for path in ("A.csv", "A.yaml", "A.txt"):
        assert answer(run, "-A", f"@{path}", "-g", "@g.tsv", files=files)["dL_dx"] == [-0.5, 0.5]
    assert answer(run, "two.yaml", "-g", "@-", stdin="2 2", files=files)["dL_dx"] == [-1, 1]
    files = {"A.txt": "1;2\n3;4\n", "g.yaml": "[1, 1]"}
    assert answer(run, "A.txt", "--delimiter", ";", "-g", "@g.yaml", files=files)["dL_dx"] == [-0.5, 0.5]


def test_options_override_the_file(run: Run) -> None:
    record = answer(run, "two.yaml", "-g", "2 2", "-B", "1; 0", "--x", "in", "--y", '"a, b",c', files=TWO)
    assert (record["x"], record["y"], record["dL_dx"]) == (["in"], ["a, b", "c"], [-1])


def test_all_documents_are_solved_in_order(run: Run) -> None:
    files = {"many.yaml": "A: [[1]]\n---\nA: [[2]]\nname: b\n---\nA: [[0]]\n"}
    result = run("solve", "many.yaml", "--format", "json", files=files)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(r["source"], r["name"], r["status"]) for r in records] == [
        ("many.yaml", "many", "determined"),
        ("many.yaml#2", "b", "determined"),
        ("many.yaml#3", "many", "rank-deficient"),
    ]
    assert run("solve", "many.yaml").stdout.count("x = A·y") == 3


def test_free_chooses_and_an_impossible_choice_says_what_is_possible(run: Run) -> None:
    assert answer(run, "-A", "3 5", "--free", "y2")["free_parameters"] == ["dy2/dx1"]
    assert refused(run, "solve", "-A", "3 0", "--free", "y1") == (
        "<inline>: y1 cannot be free; 1 unknown is free, possible are y2"
    )
    assert refused(run, "solve", "-A", "3", "--free", "y1") == (
        "<inline>: y1 cannot be free; expected none, since every unknown is determined"
    )
    assert refused(run, "solve", "-A", "1 2 3", "--free", "y1,y1") == (
        "free: a name is given twice; expected each once"
    )
    assert refused(run, "solve", "-A", "3 5", "--free", "z") == (
        "free: 'z' is not an unknown of <inline>; expected y1, y2"
    )


def test_free_holds_for_every_document(run: Run) -> None:
    result = run("solve", "m.yaml", "--free", "y2", "-fjson", files={"m.yaml": "A: [[1, 2]]\n---\nA: [[3, 5]]\n"})
    assert [json.loads(line)["free_parameters"] for line in result.stdout.splitlines()] == [["dy2/dx1"]] * 2
    assert refused(run, "solve", "-A", "1 1 1 0; 0 0 0 1", "--free", "y1,y4") == (
        "<inline>: y1, y4 cannot be free; 2 unknowns are free, possible are y1,y2 or y1,y3 or y2,y3"
    )


def test_a_name_with_a_comma_can_be_chosen(run: Run) -> None:
    assert answer(run, "-A", "3 5", "--y", '"a, b",c', "--free", '"a, b"')["free_parameters"] == ["da, b/dx1"]


@pytest.mark.parametrize(
    ("A", "gradient", "met"),
    [
        ("1 2; 3 4", "1 1", ["determined", "unique-dL_dx"]),
        ("3 5", "7 11", ["underdetermined"]),
        ("3 5", "6 10; 7 11", ["underdetermined"]),
        ("3 5", "6 10", ["underdetermined", "unique-dL_dx"]),
        ("1; 2", "1", ["overdetermined", "unique-dL_dx"]),
        ("1 2; 2 4", "1 0", ["rank-deficient"]),
    ],
)
def test_require_exits_with_1_when_the_answer_is_another_and_prints_it_all_the_same(
    run: Run, A: str, gradient: str, met: list[str]
) -> None:
    plain = run("solve", "-A", A, "-g", gradient)
    for requirement in ("determined", "underdetermined", "overdetermined", "rank-deficient", "unique-dL_dx"):
        result = run("solve", "-A", A, "-g", gradient, "--require", requirement)
        assert result.stdout == plain.stdout
        if requirement in met:
            assert (result.returncode, result.stderr) == (0, "")
        else:
            assert result.returncode == 1
            assert result.stderr.startswith(f"implicitgrad: <inline>: expected {requirement} (--require), got ")


def test_every_requirement_must_be_met(run: Run) -> None:
    result = run("solve", "-A", "1 2; 2 4", "--require", "determined", "--require", "rank-deficient")
    assert result.returncode == 1
    assert result.stderr == "implicitgrad: <inline>: expected determined (--require), got rank-deficient\n"


def test_forgotten_words_and_quotes_get_a_hint(run: Run) -> None:
    assert "implicitgrad solve two.yaml" in refused(run, "two.yaml", files=TWO)
    assert "needs quotes" in refused(run, "solve", "two.yaml", "-g", "1", "1", files=TWO)
    assert "separated by commas" in refused(run, "solve", "-A", "1 2", "--y", "p q")


def test_a_labelled_table_is_no_option_value(run: Run) -> None:
    message = refused(run, "solve", "-A", "@lab.csv", files={"lab.csv": ",a,b\nx,1,2\n"})
    assert message == (
        "lab.csv:1:1: expected numbers alone, got names. "
        "Give a table with names as the SYSTEM, not as an option's @FILE"
    )


def test_require_unique_gradient_needs_a_gradient(run: Run) -> None:
    assert "needs dL_dy" in refused(run, "solve", "-A", "3 5", "--require", "unique-dL_dx")


def test_each_system_without_the_gradient_that_an_option_needs_is_named_with_numbers_or_letters(run: Run) -> None:
    files = {"mixed.yaml": "A: [[1]]\n---\nA: [[a]]\n---\nA: [[2]]\n"}
    assert refused(run, "solve", "mixed.yaml", "--only", "dL_dx", files=files).splitlines() == [
        "mixed.yaml: --only dL_dx needs dL_dy, and there is none. Give it in the file or with -g",
        "implicitgrad: mixed.yaml#2: --only dL_dx needs dL_dy, and there is none",
        "implicitgrad: mixed.yaml#3: --only dL_dx needs dL_dy, and there is none",
    ]


def test_what_is_given_twice_is_not_lost(run: Run) -> None:
    for arguments, option, hint in (
        (("-A", "1 2", "-A", "3 4"), "'-A'", ""),
        (("-A", "1 2; 3 4", "-g", "1 0", "-g", "0 1"), "'-g' / '--dldy'", "Several losses are rows of one: '1 0; 0 1'"),
        (("-e", "x = y*z", "--unknowns", "y", "--unknowns", "z"), "'--y' / '--unknowns'", ""),
        (("-e", "x = y**2", "--unknowns", "y", "--at", "x=4", "--at", "y=2"), "'--at'", "are separated by commas"),
    ):
        message = refused(run, "solve", *arguments)
        assert f"Invalid value for {option}: expected it once, got it 2 times" in message
        assert hint in message
    claimed = ("check", "-A", "1 2; 3 5", "-g", "1 2", "--dldx", "9 9", "--dldx", "1 0")
    assert "'--dldx': expected it once, got it 2 times. Several losses" in refused(run, *claimed)


BRIDGE = "1/200 -1/300; -1/300 1/100"


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ((), ["y1      ≈257.143     ≈85.7143", "y2       ≈85.7143   ≈128.571", "∂L/∂x   ≈342.857    ≈214.286"]),
        (("--digits", "3"), ["y1      ≈257     ≈85.7", "y2       ≈85.7   ≈129", "∂L/∂x   ≈343    ≈214"]),
        (("--notation", "decimal", "--digits", "2"), ["y1      ≈2.6e+2", "y2      ≈8.6e+1   ≈1.3e+2"]),
        (("--notation", "fraction"), ["y1      1800/7    600/7", "y2       600/7    900/7", "∂L/∂x   2400/7   1500/7"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("form", ["table", "markdown", "html", "latex", "plain"])
def test_a_table_has_one_notation_in_every_format(run: Run, options: list[str], rows: list[str], form: str) -> None:
    result = run("solve", "-A", BRIDGE, "-g", "1 1", *options, "--format", form)
    assert (result.returncode, result.stderr) == (0, "")
    text = " ".join(result.stdout.split())
    if form == "table":
        for row in rows:
            assert " ".join(row.split()) in text
    for number in " ".join(rows).split():
        if number[-1].isdigit() and not number.startswith("y"):
            whole, _, denominator = number.partition("/")
            fraction = f"\\frac{{{whole}}}{{{denominator}}}" if denominator else whole
            mantissa, _, exponent = fraction.partition("e+")
            power = f" \\times 10^{{{exponent}}}" if exponent else ""
            spelled = {"latex": mantissa.replace("≈", "{\\approx}\\,") + power, "plain": number.replace("≈", "~")}
            assert spelled.get(form, number) in text


def test_doubles_are_no_fractions(run: Run) -> None:
    result = run("solve", "-A", "3 1; 1 2", "--arithmetic", "float", "--notation", "fraction")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "implicitgrad: <inline>: --notation fraction needs an exact answer, and this one is in doubles. "
        "--arithmetic exact gives one, where the question has one\n"
    )


def test_letters_keep_their_fractions_and_roots_become_decimals_unless_fractions_are_asked_for(run: Run) -> None:
    arguments = ("solve", "-A", "sqrt(2) 0; 0 3*a", "-g", "1 1")
    assert re.search(r"y1 +≈0\.707107 +0\n  y2 +0 +1/\(3·a\)\n", run(*arguments).stdout)
    assert "{\\approx}\\,0.707107 & 0" in run(*arguments, "--format", "latex").stdout
    exact = run(*arguments, "--notation", "fraction").stdout
    assert re.search(r"y1 +sqrt\(2\)/2 +0\n  y2 +0 +1/\(3·a\)\n", exact)


def test_digits_limits_decimals(run: Run) -> None:
    for digits, shown in (("3", "≈0.00811"), ("12", "≈0.00810682197176")):
        assert shown in run("solve", "-A", "123.3529", "--digits", digits).stdout


def test_output_is_written_whole_to_another_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("old")
    (tmp_path / "out.txt").chmod(0o640)
    result = run("solve", "two.yaml", "--output", "out.txt", files=TWO, FORCE_COLOR="1", COLUMNS="0")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / "out.txt").read_text("utf-8") == TABLE
    assert (tmp_path / "out.txt").stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["out.txt", "two.yaml"]


def test_output_through_a_link_replaces_what_it_points_to(run: Run, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target.txt")
    run("solve", "two.yaml", "-o", "link", files=TWO)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target.txt").read_text("utf-8") == TABLE


def test_output_never_destroys_the_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "same.yaml").symlink_to("two.yaml")
    for path in ("two.yaml", "same.yaml", "./two.yaml"):
        assert refused(run, "solve", "two.yaml", "-o", path, files=TWO) == (
            f"--output {path} is the input; expected another file"
        )
    assert "is the input" in refused(run, "solve", "-A", "@g.txt", "-o", "g.txt", files={"g.txt": "1"})
    assert (tmp_path / "two.yaml").read_text() == TWO["two.yaml"]


def test_output_never_destroys_the_standard_input_either(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("A: [[2]]")
    command = f"{PROGRAM} solve - -o s.yaml < s.yaml"
    result = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert "is the input" in result.stderr
    assert (tmp_path / "s.yaml").read_text() == "A: [[2]]"


def test_output_goes_to_pipes_and_to_standard_output(run_process: Run, tmp_path: Path) -> None:
    table = run_process("solve", "-A", "2").stdout
    assert run_process("solve", "-A", "2", "-o", "-").stdout == table
    assert run_process("solve", "-A", "2", "-o", "/dev/stdout").stdout == table
    command = f"echo before > f; {{ {PROGRAM} solve -A 2 -o /dev/stdout; echo after; }} >> f; cat f"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert result.stdout.decode() == f"before\n{table}after\n"


def test_a_standard_input_that_does_not_block_is_waited_for() -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    process = subprocess.Popen([PROGRAM, "solve", "-", "-fjson"], stdin=read_end, stdout=subprocess.PIPE)
    os.close(read_end)
    wait_until_blocked(process.pid)
    os.write(write_end, b"A: [[2]]")
    os.close(write_end)
    out, _ = process.communicate(timeout=30)
    assert json.loads(out)["dy_dx"] == [[0.5]]


def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from implicitgrad.terminal import files

    target = tmp_path / "out.txt"
    target.write_text("old")

    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(files.os, name, fail)
            with pytest.raises(OutputError, match="No space left"):
                files.write_file(str(target), "new")
        assert os.listdir(tmp_path) == ["out.txt"]
        assert target.read_text() == "old"
    files.write_file(str(target), "new")
    assert target.read_text() == "new"


def test_output_that_cannot_be_written_is_an_error(run: Run, tmp_path: Path) -> None:
    assert (
        refused(run, "solve", "-A", "1", "-o", "none/out") == "none/out: cannot be written: No such file or directory"
    )
    assert refused(run, "solve", "-A", "1", "-o", ".") == ".: cannot be written: Is a directory"
    assert refused(run, "solve", "-A", "1", "-o", "new/") == "new/: cannot be written: No such file or directory"
    if os.path.exists("/dev/full"):
        assert refused(run, "solve", "-A", "1", "-o", "/dev/full") == (
            "/dev/full: cannot be written: No space left on device"
        )
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a system's file, - for standard input, -A, -e or --minimize. See implicitgrad solve --help"),
        (["two.yaml", "-A", "1"], "expected a system's file or -A, got both. "
                                  "Leave out one of them"),
        (["-", "-g", "@-"], "standard input can be read once; expected - in one place only"),
        (["two.yaml", "--delimiter", ","], "--delimiter, --decimal, --header and --index are for CSV; two.yaml is read "
                                           "as YAML"),
        (["two.yaml", "--no-index"], "--delimiter, --decimal, --header and --index are for CSV; two.yaml is read as "
                                     "YAML"),
        (["-", "--header"], "--delimiter, --decimal, --header and --index are for CSV; - is read as YAML. CSV through "
                            "standard input needs --delimiter"),
        (["missing.yaml"], "missing.yaml: cannot be read: No such file or directory"),
        (["."], "expected a system's file, got the directory '.'. To solve all in it: implicitgrad batch .; to check "
                "them: implicitgrad check ."),
        (["loop"], "loop: cannot be read: Too many levels of symbolic links"),
        (["x" * 300], "x" * 300 + ": cannot be read: File name too long"),
        (["nul\x1bl.yaml"], "nul\\x1bl.yaml: cannot be read: No such file or directory"),
        (["-A", "-"], "-A: expected a value, got '-'. @FILE reads it from a file, @- from standard input"),
        (["-A", "1,5;2,5", "--decimal", ","], "--delimiter, --decimal, --header and --index are for CSV, and nothing "
                                              "is read from a file"),
        ([""], "expected a file's name, got ''"),
        (["-A", "1", "--output", ""], "expected a file's name, got ''"),
        (["-A", "1", "--pieces"], "<inline>: --pieces is for quadratic programs"),
        (["-A", "1", "--direction", "h1=x"], "--direction: expected a number such as -12, 0.5, 1e-3 or 3/4, got 'x'. "
                                             "--direction h1=1,b2=-1"),
        (["-A", "1 nan"], "-A:1:3: A[1][2]: expected a number such as -12, 0.5, 1e-3 or 3/4, got 'nan'. "
            "Missing and infinite values are not read"),
        (["-A", "1 x"], "-A:1:3: A[1][2]: expected a number such as -12, 0.5, 1e-3 or 3/4, got 'x'. A, B, L, x and"
         " y are reserved; use another name"),
        (["-A", "1 2", "-g", "1 2 3"], "-g:1:1: dL_dy has 3 entries; expected 2, one for each column of A. A is 1×2, "
                                       "dL_dy is 1×3"),
        (["-A", "1", "--x", "a,b"], "--x: x has 2 names; expected 1, one for each row of A"),
    ],
)  # fmt: skip
def test_a_question_without_meaning_is_one_line(run: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert refused(run, "solve", *arguments, files=TWO) == message


@pytest.mark.parametrize(
    "arguments",
    [
        ["slove"], ["solve", "--nonsense"], ["solve", "-", "-"], ["solve", "-A"], ["solve", "-A", "1", "--digits", "0"],
        ["solve", "-A", "1", "--digits", "99999999999"], ["solve", "-A", "1", "--format", "xml"],
        ["solve", "-A", "1", "--require", "yes"], ["solve", "-A", "1", "--free", ""],
        ["solve", "-A", "1", "--free", "a,,b"],
        ["solve", "x.csv", "--delimiter", "ab"], ["solve", "x.csv", "--delimiter", "1"],
        ["solve", "x.csv", "--delimiter", "\x1b"],
        ["solve", "x.csv", "--decimal", ";"],
    ],
)  # fmt: skip
def test_bad_usage_is_one_line_that_says_what_to_type(run: Run, arguments: list[str]) -> None:
    message = refused(run, *arguments)
    assert "\n" not in message
    assert "implicitgrad solve" in message or message.endswith("Give it one: -A MATRIX")


def test_errors_are_json_objects_when_json_was_asked_for(run: Run) -> None:
    for arguments in (["--format", "json"], ["--format=json"], ["-f", "json"], ["-fjson"]):
        result = run("solve", "bad.yaml", *arguments, files={"bad.yaml": "A: [[1, x],\n  [y, 2]]\n"})
        assert (result.returncode, result.stdout) == (2, "")
        first, second = map(json.loads, result.stderr.splitlines())
        assert first == {
            "name": None,
            "source": "bad.yaml",
            "error": {
                "code": "bad-number",
                "message": "A[1][2]: expected a number such as -12, 0.5, 1e-3 or 3/4, got 'x'",
                "line": 1,
                "column": 9,
                "hint": "A, B, L, x and y are reserved; use another name",
            },
        }
        assert (second["error"]["line"], second["error"]["column"]) == (2, 4)
    result = run("solve", "--format", "json", "--digits", "x")
    assert json.loads(result.stderr)["error"]["code"] == "usage"


def test_problems_beyond_ten_are_counted(run: Run) -> None:
    files = {"bad.yaml": "A:\n" + "- [x]\n" * 14}
    lines = run("solve", "bad.yaml", files=files).stderr.splitlines()
    assert len(lines) == 11
    assert lines[-1] == "implicitgrad: ... and 4 more problems"


def test_one_bad_document_refuses_the_file(run: Run) -> None:
    assert refused(run, "solve", "m.yaml", files={"m.yaml": "A: [[1]]\n---\nA: [[x]]\n"}).startswith("m.yaml:3:6: ")


def test_a_closed_standard_input_is_an_error() -> None:
    result = subprocess.run(f"{PROGRAM} solve - <&-", shell=True, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "implicitgrad: -: cannot be read: standard input is closed\n"


def test_a_terminal_as_standard_input_gets_a_hint() -> None:
    master, slave = pty.openpty()
    os.write(master, b"A: [[2]]\n\x04")
    result = subprocess.run(
        [PROGRAM, "solve", "-", "-fjson"], stdin=slave, capture_output=True, timeout=30, check=False
    )
    os.close(slave)
    os.close(master)
    assert json.loads(result.stdout)["dy_dx"] == [[0.5]]
    assert result.stderr == b"implicitgrad: reading from the terminal; Ctrl-D ends the input\n"


def test_an_endless_standard_input_ends_at_the_cap() -> None:
    result = subprocess.run(f"yes | {PROGRAM} solve -", shell=True, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "implicitgrad: -: expected at most 256 MiB, got more\n"


def test_a_fifo_is_read_when_it_is_written_and_no_hang_when_not(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = subprocess.Popen([PROGRAM, "solve", fifo, "-fjson"], stdout=subprocess.PIPE)
    wait_until_blocked(process.pid)
    fifo.write_text("A: [[2]]\n")
    out, _ = process.communicate(timeout=30)
    assert json.loads(out)["dy_dx"] == [[0.5]]
    monkeypatch.setattr(reading, "SECONDS_FOR_A_WRITER", 0.05)
    result = run("solve", "fifo")
    assert (result.returncode, result.stdout) == (2, "")
    assert "a FIFO that nobody writes to" in result.stderr


@pytest.mark.parametrize("arguments", ["solve -A 1", "--help", "--version", "solve --help"])
def test_standard_output_that_cannot_be_written_is_an_error(arguments: str) -> None:
    cases = [(">&-", "is closed")]
    if os.path.exists("/dev/full"):
        cases.append(("> /dev/full", "No space left on device"))
    for redirection, reason in cases:
        command = f"{PROGRAM} {arguments} {redirection}"
        result = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert result.returncode == 2
        assert result.stderr.startswith("implicitgrad: standard output ")
        assert reason in result.stderr
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", ["solve -A 1", "--help", "solve --help"])
def test_a_reader_that_goes_away_is_141_and_quiet(arguments: str) -> None:
    command = f"{PROGRAM} {arguments} | true; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert result.stdout in ("141\n", "0\n")  # 0 where the pipe took it all before `true` was gone
    assert result.stderr == ""
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = subprocess.run([PROGRAM, *arguments.split()], stdout=write_end, stderr=subprocess.PIPE, check=False)
    os.close(write_end)
    assert (process.returncode, process.stderr) == (141, b"")


def test_an_interrupt_is_130_and_quiet() -> None:
    process = subprocess.Popen(
        [PROGRAM, "solve", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    wait_until_blocked(process.pid)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.strip()) == (130, b"", b"")


@pytest.mark.parametrize("module", ["click", "yaml", "fractions"])
def test_an_interrupt_while_modules_load_is_130_and_quiet(run_process: Run, tmp_path: Path, module: str) -> None:
    (tmp_path / f"{module}.py").write_text("raise KeyboardInterrupt\n")
    result = run_process("solve", "-", stdin="A: [[1]]", PYTHONPATH=str(tmp_path))
    assert (result.returncode, result.stdout, result.stderr.strip()) == (130, "", "")


def break_solver(folder: Path, raised: str) -> str:
    """A PYTHONPATH with which the solver raises ``raised``."""
    (folder / "sitecustomize.py").write_text(
        "import implicitgrad.solvers.exact.solver as exact\n"
        f"def broken(*arguments, **options): raise {raised}\n"
        "exact.reduce_rows = broken\n"
    )
    return str(folder)


def test_running_out_of_memory_is_an_error_not_a_fault(run_process: Run, tmp_path: Path) -> None:
    result = run_process("solve", "-A", "1", PYTHONPATH=break_solver(tmp_path, "MemoryError"))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "implicitgrad: out of memory; the system is too large for this machine\n"


def test_a_fault_is_exit_3_with_a_request_and_a_traceback_only_for_debug(run_process: Run, tmp_path: Path) -> None:
    path = break_solver(tmp_path, "ZeroDivisionError('by [zero]')")
    result = run_process("solve", "-A", "1", PYTHONPATH=path)
    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == (
        "implicitgrad: internal error: ZeroDivisionError: by [zero]. This is a bug in implicitgrad: please report "
        "it with the command and the input; --debug shows where\n"
    )
    result = run_process("solve", "-A", "1", "--debug", PYTHONPATH=path)
    assert result.returncode == 3
    assert "Traceback (most recent call last)" in result.stderr


def test_shell_completion_offers_commands_and_options(run_process: Run) -> None:
    script = run_process(_IMPLICITGRAD_COMPLETE="bash_source")
    assert "implicitgrad" in script.stdout
    words = run_process(_IMPLICITGRAD_COMPLETE="bash_complete", COMP_WORDS="implicitgrad solve --fo", COMP_CWORD="2")
    assert "--format" in words.stdout


def test_the_condition_has_no_more_digits_than_asked_for(run: Run) -> None:
    for digits, shown in (("1", "≈2e+1"), ("2", "≈21"), ("6", "≈21.0")):
        assert f"condition {shown}," in run("solve", "-A", "1/3 0; 0 7", "--digits", digits).stdout


def test_an_answer_written_as_yaml_satisfies_a_strict_check(run: Run) -> None:
    for A, g in (("0 0; 0 0", "1 1"), ("3 5", "7 11"), ("1; 1", "2"), ("1 2; 3 4", "1 1")):
        text = run("solve", "-A", A, "-g", g, "-f", "yaml").stdout
        checked = run("check", "answer.yaml", "--strict", files={"answer.yaml": text})
        assert checked.returncode == 0, (A, checked.stdout)


def test_entries_of_an_array_that_are_not_known_are_counted(run: Run) -> None:
    result = run("solve", "-A", "3 5", "-o", "u.npy")
    assert (result.returncode, result.stdout) == (0, "")
    told = "2 entries not determined, and NaN there; a name that ends in .npz gets the general solution"
    assert result.stderr == f"implicitgrad: u.npy: {told}\n"
    assert run("solve", "-A", "3 5", "-o", "u.npz").stderr == ""
    assert run("solve", "-A", "3 5", "-g", "6 10", "--only", "dL_dx", "-o", "u.npy").stderr == ""


def test_a_missing_comma_is_one_mistake(run: Run) -> None:
    message = refused(run, "solve", "-", stdin="A: [[1, 2], [3 4]]")
    assert message.count("\n") == 0
    assert message.endswith("Is a comma missing?")


@pytest.mark.parametrize(("form", "has_batch"), [("html", False), ("csv", True)])
def test_batch_is_named_where_it_writes_the_format(run: Run, tmp_path: Path, form: str, has_batch: bool) -> None:
    (tmp_path / "two.yaml").write_text("A: [[2]]\n---\nA: [[3]]\n")
    result = run("solve", "two.yaml", "--format", form)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"implicitgrad: --format {form} holds one system's answer, and there are 2. --format table, json, plain, "
        f"markdown, latex or yaml holds several{'; implicitgrad batch writes the numbers of all' * has_batch}\n"
    )
