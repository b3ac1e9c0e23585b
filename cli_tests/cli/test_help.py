"""Help pages, and what is said to somebody who typed something else."""

import re
import shlex
from pathlib import Path

import click
import pytest
from conftest import Run

from implicitgrad.cli.help_pages import OVERVIEW
from implicitgrad.cli.main import COMMANDS
from implicitgrad.cli.main import implicitgrad as group

SYSTEM = "A: [[1, 2], [3, 4]]\n"


def command_of(name: str) -> click.Command:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    return command


def test_help_and_version(run: Run) -> None:
    overview = run("--help")
    assert overview.returncode == 0
    assert overview.stdout.startswith("Usage: implicitgrad COMMAND")
    assert run("-h").stdout == overview.stdout
    assert run("--help", "solve").stdout == overview.stdout
    version = run("--version").stdout
    assert version.startswith("implicitgrad ")
    assert run("--version", "solve").stdout == run("-V").stdout == version
    assert run("help").stdout == overview.stdout
    assert run("help", "check").stdout == run("check", "--help").stdout
    nothing = run()
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (2, "", overview.stdout)
    in_ascii = run("--help", PYTHONIOENCODING="ascii").stdout
    assert "Print dy/dx and dL/dx of a system." in in_ascii
    assert "dL/dx" in run("solve", "--help", PYTHONIOENCODING="latin-1").stdout
    for help_page in (run("solve", "--help"), run("solve", "-h")):
        assert (help_page.returncode, help_page.stderr) == (0, "")
        assert help_page.stdout.split("\n\n")[2].startswith("Examples:\n  implicitgrad solve ")


def test_the_overview_names_every_command_with_its_own_words() -> None:
    for name in COMMANDS:
        assert f"  {name}  {command_of(name).short_help}\n" in OVERVIEW


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_help_page_has_every_option_once_under_a_heading(run: Run, name: str, width: int) -> None:
    page = run(name, "--help", COLUMNS=str(width)).stdout
    headings = re.findall(r"^(\w+):$", page, re.MULTILINE)
    assert (headings[0], headings[-1]) == ("Examples", "Other")
    assert len(set(headings)) == len(headings)
    options = [one for one in command_of(name).params if isinstance(one, click.Option)]
    assert options
    for option in options:
        assert len(re.findall(rf"^  (?:-\S+, )?{option.opts[-1]}(?=[ \n])", page, re.MULTILINE)) == 1, option.opts
    other = page.partition("\nOther:\n")[2].partition("\n\n")[0]
    assert set(re.findall(r"^  (?:-\w, )?(--[-\w]+)", other, re.MULTILINE)) <= {"--debug", "--help"}
    assert all(len(line) <= 80 for line in page.splitlines())
    examples, _, rest = page.partition("Examples:\n")[2].partition("\n\n")
    assert all(len(line) <= width or line.startswith("  -") for line in rest.splitlines())
    assert all("implicitgrad" in line for line in examples.splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("slove two.yaml", "No such command 'slove'. Did you mean implicitgrad solve two.yaml?"),
        ("chekc a b", "No such command 'chekc'. Did you mean implicitgrad check a b?"),
        ("gradcheck systems", "No such command 'gradcheck'. Did you mean implicitgrad check systems?"),
        ("zzz", "No such command 'zzz'. See implicitgrad --help"),
        ("two.yaml", "No such command 'two.yaml'. To solve a file: implicitgrad solve two.yaml"),
        ("tow.yaml", "No such command 'tow.yaml'. To solve a file: implicitgrad solve tow.yaml"),
        ("systems", "No such command 'systems'. To check the systems in it: implicitgrad check systems; to solve them: "
                    "implicitgrad batch systems"),
        ("'x = 3*y'", "No such command 'x = 3*y'. An equation needs -e: implicitgrad solve -e 'x = 3*y' --unknowns y"),
        ("-A '1 2'", "No such option '-A'. Name a command first: implicitgrad solve -A '1 2'"),
        ("--strict two.yaml", "No such option '--strict'. Name a command first: implicitgrad check --strict two.yaml"),
        ("solve two.yaml three.yaml", "Got unexpected extra argument (three.yaml). solve takes one file. For several: "
                                      "implicitgrad batch two.yaml three.yaml"),
        ("solve two.yaml -g 1 1", "Got unexpected extra argument (1). A value with blanks needs quotes: -g '1 1'. See "
                                  "implicitgrad solve --help"),
        ("solve systems", "expected a system's file, got the directory 'systems'. To solve all in it: implicitgrad "
                          "batch systems; to check them: implicitgrad check systems"),
        ("solve 'x = 3*y1 + 5*y2'", "expected a file, got 'x = 3*y1 + 5*y2'. An equation needs -e: implicitgrad solve "
                                    "-e 'x = 3*y1 + 5*y2' --unknowns y1,y2"),
        ("check 'p = 3*(q + r'", "expected a file, got 'p = 3*(q + r'. An equation needs -e: implicitgrad check -e "
                                 "'p = 3*(q + r' --unknowns y"),
        ("batch x=3*y", "expected a file, got 'x=3*y'. An equation needs -e: implicitgrad solve -e 'x=3*y' --unknowns "
                        "y"),
        ("solve '1 2; 3 4'", "expected a file, got '1 2; 3 4'. A matrix needs -A: implicitgrad solve -A '1 2; 3 4'"),
        ("solve [[1,2],[3,4]]", "expected a file, got '[[1,2],[3,4]]'. A matrix needs -A: implicitgrad solve -A "
                                "'[[1,2],[3,4]]'"),
        ("solve -e x=3*y y", "expected a system's file or -e, got both. Name the unknowns: --unknowns y"),
        ("solve -A 1 two.yaml", "expected a system's file or -A, got both. Leave out one of them"),
        ("solve -A 1 -g 1 1", "expected a system's file or -A, got both. A value with blanks needs quotes: -g '1 1'"),
        ("solve two.yaml --json", "No such option '--json'. Did you mean --format json?"),
        ("solve two.yaml --sep ;", "No such option '--sep'. Did you mean --delimiter?"),
        ("solve two.yaml -d ;", "No such option '-d'. Did you mean --delimiter?"),
        ("check two.yaml --tolerance 1", "No such option '--tolerance'. Did you mean --rtol?"),
        ("batch two.yaml --workers 2", "No such option '--workers'. Did you mean --jobs?"),
        ("solve two.yaml --variables a", "No such option '--variables'. Did you mean --unknowns?"),
        ("check two.yaml --json", "No such option '--json'. Did you mean --format json?"),
        ("solve two.yaml --exact", "No such option '--exact'. Did you mean --arithmetic exact?"),
        ("solve two.yaml --dl_dx", "No such option '--dl_dx'. Did you mean --only dL_dx?"),
        ("solve two.yaml --dydx '1 2; 3 4'", "No such option '--dydx'. It is an option of check: implicitgrad check "
                                             "two.yaml --dydx '1 2; 3 4'"),
        ("check two.yaml --steps", "No such option '--steps'. It is an option of solve: implicitgrad solve two.yaml "
                                   "--steps"),
        ("solve two.yaml --frmat json", "No such option '--frmat'. Did you mean --format?"),
        ("solve two.yaml --zzz", "No such option '--zzz'. See implicitgrad solve --help"),
        ("solve two.yaml -f jsn", "Invalid value for '-f' / '--format': 'jsn' is not one of 'table', 'json', 'plain', "
                                  "'markdown', 'html', 'latex', 'yaml', 'csv'. Did you mean json?"),
        ("solve two.yaml --require unique",
         "Invalid value for '--require': 'unique' is not one of 'determined', 'underdetermined', 'overdetermined', "
         "'rank-deficient', 'differentiable', 'optimal', 'unique-z', 'unique-dL_dx'. Did you mean unique-z or "
         "unique-dL_dx?"),
        ("solve sheet.xlsx", "sheet.xlsx: expected a name ending in .yaml, .yml, .json, .jsonl, .ndjson, .csv, .tsv, "
                             ".npy, .npz, .mtx, .mtx.gz, got '.xlsx'. Save the sheet as CSV"),
        ("solve two.yaml -o", "Option '-o' requires an argument. Give it one: -o FILE"),
        ("solve tow.yaml", "tow.yaml: cannot be read: No such file or directory. Did you mean two.yaml?"),
        ("solve TWO.yml", "TWO.yml: cannot be read: No such file or directory. Did you mean two.yaml?"),
        ("solve two", "two: cannot be read: No such file or directory. Did you mean two.csv?"),
        ("solve sytems/four.yaml", "sytems/four.yaml: cannot be read: No such file or directory. Did you mean "
                                   "systems/four.yaml?"),
        ("solve five.yaml", "five.yaml: cannot be read: No such file or directory"),
        ("solve lr=0.1.yaml", "lr=0.1.yaml: cannot be read: No such file or directory"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_what_to_type(run: Run, tmp_path: Path, arguments: str, message: str) -> None:
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "four.yaml").write_text(SYSTEM)
    files = {"two.yaml": SYSTEM, "three.yaml": SYSTEM, "two.csv": "1,2\n", "sheet.xlsx": b"PK\x03\x04"}
    result = run(*shlex.split(arguments), files=files)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"implicitgrad: {message}\n")


def test_check_and_batch_name_the_nearest_file(run: Run) -> None:
    message = "implicitgrad: tow.yaml: cannot be read: No such file or directory. Did you mean two.yaml?\n"
    assert run("check", "tow.yaml", files={"two.yaml": SYSTEM}).stderr == message
    assert run("batch", "tow.yaml").stderr == message + "implicitgrad: 1 system: 1 failed\n"
