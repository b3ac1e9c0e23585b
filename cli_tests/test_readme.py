"""The README is a promise: its examples are run and compared whole."""

import doctest
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from conftest import ROOT, SCREEN_VARIABLES, Run

README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def console_examples() -> list[tuple[str, str]]:
    """Each ``$ command`` and the output below it."""
    examples = []
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            examples.append((command, output))
    return examples


@pytest.mark.parametrize(("command", "output"), console_examples(), ids=lambda text: text[:70])
def test_a_console_example_prints_what_the_readme_shows(command: str, output: str) -> None:
    if "jq" in command.split() and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    environment = {key: value for key, value in os.environ.items() if key not in SCREEN_VARIABLES}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONIOENCODING": "utf-8"}
    result = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert result.stdout.decode() == output


def test_the_python_example_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    example = blocks("python")[-1]
    test = doctest.DocTestParser().get_doctest(example, {}, "README", "README.md", 0)
    assert doctest.DocTestRunner().run(test).failed == 0
    assert len(test.examples) >= 5


def test_the_example_of_a_users_own_test_passes_and_catches_a_forgotten_transpose() -> None:
    (example,) = blocks("python")[:-1]
    for code, fails in ((example, False), (example.replace("A.T", "A"), True)):
        names: dict[str, Any] = {}
        exec(code, names)  # the page's own code
        if fails:
            with pytest.raises(AssertionError, match=r"was the transpose forgotten\?"):
                names["test_backward"]()
        else:
            names["test_backward"]()


def test_the_example_of_claims_holds(run: Run) -> None:
    result = run("check", "-", "--strict", "-q", stdin=blocks("yaml")[2])
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_examples_for_ci_are_valid_and_their_commands_run(run: Run, tmp_path: Path) -> None:
    workflow, job, hooks = map(yaml.safe_load, blocks("yaml")[3:])
    commands = [step["run"] for step in workflow["jobs"]["gradients"]["steps"] if "run" in step]
    commands += job["gradients"]["script"]
    commands = [command for command in commands if command.startswith("implicitgrad ")]
    assert len(commands) == 2
    shutil.copytree(ROOT / "sample_systems", tmp_path / "systems")
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
    in_a_file = run("solve", "-", stdin=blocks("yaml")[1]).stdout
    example = next(block for block in blocks("console") if "solve -e" in block)
    assert example.endswith(in_a_file.partition("\n")[2])


@pytest.mark.parametrize(("language", "name"), [("yaml", "example.yaml"), ("csv", "example.csv")])
def test_the_formats_shown_are_read(tmp_path: Path, language: str, name: str) -> None:
    from implicitgrad import read_systems, solve

    example = blocks(language)[0]
    (tmp_path / name).write_text(example)
    (system,) = read_systems(tmp_path / name)
    assert solve(system).dL_dx == (-solve([[2]]).dy_dx[0][0], solve([[2]]).dy_dx[0][0])  # type: ignore[operator]


def test_the_page_opens_with_the_two_commands_one_line_each() -> None:
    first, second = blocks("sh")[:2]
    for command in (first, second):
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv ")
    assert "solve sample_systems/" in first
    assert "pytest" in second


def test_every_record_key_exit_code_and_option_is_documented() -> None:
    import implicitgrad
    from implicitgrad.cli.solve import solve
    from implicitgrad.cli.systems import REQUIREMENTS
    from implicitgrad.writers.record import to_record

    for key in to_record(implicitgrad.solve([[1]])):
        assert f"`{key}`" in README, key
    for requirement in REQUIREMENTS:
        assert f"`{requirement}`" in README, requirement
    from implicitgrad.cli.check import check
    from implicitgrad.writers.verdict_record import to_verdict_record

    (claim,) = to_verdict_record(implicitgrad.check([[1]], rank=1))["claims"]
    for key in (*claim, *to_verdict_record(implicitgrad.check([[1]], rank=1))):
        assert f"`{key}`" in README, key
    for parameter in check.params:
        if isinstance(parameter, click.Option) and parameter.opts[-1] not in ("-A", "-B"):
            assert parameter.opts[-1] in README, parameter.opts
    for option in ("--free", "--require", "--output", "--format", "--delimiter", "--decimal", "--header", "--debug"):
        assert option in README, option
        assert any(option in parameter.opts for parameter in solve.params), option
    assert f"**{implicitgrad.__version__}**" in README
    assert "\n@@\n" not in README
