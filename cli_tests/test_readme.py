"""The README and the guide are promises: their examples are run and compared whole."""

import doctest
import re
import shutil
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import pictures
import pytest
import yaml
from conftest import ROOT, Run
from pages import GUIDE, PAGES, README, Page

import implicitgrad
from implicitgrad.cli.main import COMMANDS
from implicitgrad.cli.main import implicitgrad as group

CHECK, EQUATIONS, INPUT, PYTHON, RECORD = (
    next(page for page in GUIDE if page.path.stem == topic)
    for topic in ("check", "equations", "input", "python", "record")
)
EVERY_PAGE = "".join(page.text for page in PAGES)
OF_OTHER_PROGRAMS = {"--quiet", "--editable", "--nworkers", "--nthreads"}


def options() -> dict[str, set[str]]:
    """The options of each command, by their names."""
    context = click.Context(group)
    commands = [(name, group.get_command(context, name)) for name in COMMANDS]
    return {
        name: {text for one in command.params for text in (*one.opts, *one.secondary_opts)}
        for name, command in commands
        if command is not None
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.name)
def test_the_examples_of_a_page_print_what_it_shows(page: Page, tmp_path: Path) -> None:
    assert page.rewritten(tmp_path).splitlines() == page.text.splitlines()


def test_the_python_example_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    examples = [(page.path.name, example) for page in GUIDE for example in page.blocks("pycon")]
    assert {name for name, _ in examples} == {"programs.md", "python.md"}
    for name, example in examples:
        test = doctest.DocTestParser().get_doctest(example, {}, name, name, 0)
        assert doctest.DocTestRunner().run(test).failed == 0
    assert len(test.examples) >= 5


@pytest.mark.parametrize("page", [page for page in PAGES if page.blocks("python")], ids=lambda page: page.path.name)
def test_the_example_of_a_users_own_test_passes_and_catches_a_forgotten_transpose(page: Page) -> None:
    (example,) = page.blocks("python")
    right, wrong = (re.sub(r"solve\(A(\.T)?, g", f"solve({A}, g", example) for A in ("A.T", "A"))
    assert example in (right, wrong)
    assert right != wrong
    for code in (right, wrong):
        names: dict[str, Any] = {}
        exec(code, names)  # the page's own code
        if code is wrong:
            with pytest.raises(AssertionError, match=r"was the transpose forgotten\?"):
                names["test_backward"]()
        else:
            names["test_backward"]()


def test_the_example_of_claims_holds(run: Run) -> None:
    result = run("check", "-", "--strict", "-q", stdin=CHECK.files()["claims.yaml"])
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_examples_for_ci_are_valid_and_their_commands_run(run: Run, tmp_path: Path) -> None:
    workflow, job, hooks = (
        yaml.safe_load(CHECK.block("yaml", containing)) for containing in ("runs-on:", "image:", "repos:")
    )
    commands = [step["run"] for step in workflow["jobs"]["gradients"]["steps"] if "run" in step]
    commands += job["gradients"]["script"]
    commands = [command for command in commands if command.startswith("implicitgrad ")]
    assert len(commands) == 2
    (tmp_path / "systems").mkdir()
    for sample in ("two_equations.yaml", "relu.yaml"):
        shutil.copy(ROOT / "sample_systems" / sample, tmp_path / "systems")
    for command in commands:
        result = run(*command.split()[1:])
        assert (result.returncode, result.stderr) == (0, ""), command
    assert (tmp_path / job["gradients"]["artifacts"]["reports"]["junit"]).exists()
    (manifest,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (repository,) = hooks["repos"]
    assert repository["hooks"] == [{"id": manifest["id"]}]
    assert set(manifest) >= {"id", "name", "entry", "language"}
    assert re.search(manifest["files"], "a/systems/b.yaml")
    assert not re.search(manifest["files"], ".github/workflows/ci.yaml")
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["symbolic"]
    assert manifest["additional_dependencies"] == extra
    result = run(*manifest["entry"].split()[1:], "systems/two_equations.yaml")
    assert (result.returncode, result.stdout) == (0, "")


def test_the_example_of_equations_is_the_one_on_the_command_line(run: Run) -> None:
    in_a_file = run("solve", "-", stdin=EQUATIONS.files()["totals.yaml"]).stdout
    example = EQUATIONS.block("console", "-e 'mean")
    assert example.endswith(in_a_file.partition("\n")[2])


@pytest.mark.parametrize("name", ["system.yaml", "table.csv"])
def test_the_formats_shown_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(INPUT.files()[name])
    (system,) = implicitgrad.read_systems(tmp_path / name)
    assert implicitgrad.solve(system).dL_dx == (Fraction(-1, 2), Fraction(1, 2))


def test_the_readme_opens_with_the_two_commands_one_line_each() -> None:
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", README.text, re.MULTILINE | re.DOTALL)
    shells = [(language, text) for language, text in fences if language in ("sh", "bash", "shell", "console", "")]
    for language, command in shells[:2]:
        assert language == "sh"
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv ")
    assert "solve sample_systems/" in shells[0][1]
    assert "pytest" in shells[1][1]


def test_every_record_key_exit_code_and_option_is_documented() -> None:
    from implicitgrad.model.spec import REQUIREMENTS
    from implicitgrad.writers.record import to_record
    from implicitgrad.writers.reports.verdict_record import to_verdict_record

    verdict = to_verdict_record(implicitgrad.check([[1]], rank=1))
    (claim,) = verdict["claims"]
    for key in (*to_record(implicitgrad.solve([[1]])), *claim, *verdict):
        assert f"`{key}`" in RECORD.text, key
    for requirement in REQUIREMENTS:
        assert f"`{requirement}`" in EVERY_PAGE, requirement
    for option in sorted(set().union(*options().values())):
        assert len(option) == 2 or re.search(rf"(?<![-\w]){option}(?![-\w])", EVERY_PAGE), option


def test_no_page_names_an_option_that_does_not_exist() -> None:
    named = set(re.findall(r"(?<![-\w])--[a-z][-a-z_]*", EVERY_PAGE))
    assert named - set().union(*options().values()) <= OF_OTHER_PROGRAMS


def test_links_of_the_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"(?:\]\(|src(?:set)?=\")([^)\"#]+)", page.text):
            assert target.startswith("https://") or (page.path.parent / target).exists(), f"{page.path.name}: {target}"
    for page in GUIDE:
        assert page.path.stem == "index" or f"[{page.path.stem}](implicitgrad/guide/" in README.text, page.path.name


def test_the_readme_is_short() -> None:
    assert len(README.text.splitlines()) <= 250


@pytest.mark.parametrize("name", pictures.THEMES)
def test_the_picture_shows_what_is_printed_now(name: str, tmp_path: Path) -> None:
    drawn = (pictures.FOLDER / f"screen-{name}.svg").read_text("utf-8")
    now = pictures.draw(pictures.screen(tmp_path), pictures.THEMES[name])
    assert pictures.text_in(drawn) == pictures.text_in(now)
    assert "forgotten?" in pictures.text_in(drawn)
    assert "http" not in re.sub(r"<!--.*?-->|xmlns=\S+", "", drawn)
