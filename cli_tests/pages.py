"""The README and the guide, and the examples in them.

    python cli_tests/pages.py

runs every console example and rewrites what the pages show below it. Read the diff.

A block whose first line is a comment with a file's name (``# system.yaml``) is that file; in a MatrixMarket file the
header comes first, and the comment is left out. The commands of a page are
run in order, in one folder that holds the page's files and sample_systems/.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from command import call, environment_of

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([\w.]+\.\w+)\n")
COMMAND = re.compile(r"^\$ (.*)\n", re.MULTILINE)
QUOTED_OR_OPERATOR = re.compile(r"'[^']*'|\"[^\"]*\"|\|\||&&|\|")


@dataclass(frozen=True)
class Page:
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    def blocks(self, language: str) -> list[str]:
        return [text for found, text in BLOCK.findall(self.text) if found == language]

    def block(self, language: str, containing: str) -> str:
        (found,) = [text for text in self.blocks(language) if containing in text]
        return found

    def files(self) -> dict[str, str]:
        blocks = [(language, text) for language, text in BLOCK.findall(self.text) if language != "console"]
        named = ((FILE_NAME.match(text), language, text) for language, text in blocks)
        return {match[1]: text[match.end() * (language == "mtx") :] for match, language, text in named if match}

    def rewritten(self, folder: Path) -> str:
        """Return the text with what its commands print now, run in ``folder``."""
        shutil.copytree(ROOT / "sample_systems", folder / "sample_systems")
        for name, text in self.files().items():
            (folder / name).write_text(text, "utf-8")

        def rerun(match: re.Match[str]) -> str:
            if match[1] != "console":
                return match[0]
            _, *pieces = COMMAND.split(match[2])
            examples = zip(pieces[::2], pieces[1::2], strict=True)
            shown = [f"$ {command}\n{printed(command, output, folder)}" for command, output in examples]
            return f"```console\n{''.join(shown)}```"

        return BLOCK.sub(rerun, self.text)


README = Page(ROOT / "README.md")
GUIDE = [Page(path) for path in sorted((ROOT / "implicitgrad" / "guide").glob("*.md"))]
PAGES = [README, *GUIDE]


def printed(command: str, output: str, folder: Path) -> str:
    """Return what a command prints; ``output`` if it needs a program that is not installed."""
    if "jq" in command.split() and shutil.which("jq") is None:
        return output
    return shell(command, folder)


def shell(command: str, folder: Path) -> str:
    """Return what bash would print, with ``implicitgrad`` called in this process: pipelines joined by && and ||."""
    text, status, operator = "", 0, ""
    for joined, pipeline in pipelines(command):
        operator = joined
        if (operator == "||" and status == 0) or (operator == "&&" and status != 0):
            continue
        data = messages = ""
        for stage in pipeline:
            data, error, status = run_stage(stage, data, status, folder)
            messages += error
        text += data + messages
    return text


def pipelines(command: str) -> list[tuple[str, list[str]]]:
    """Return the operator before each pipeline, and the pipeline's commands."""
    found: list[tuple[str, list[str]]] = [("", [""])]
    end = 0
    for match in QUOTED_OR_OPERATOR.finditer(command):
        found[-1][1][-1] += command[end : match.start()]
        end = match.end()
        if match[0] == "|":
            found[-1][1].append("")
        elif match[0] in ("||", "&&"):
            found.append((match[0], [""]))
        else:
            found[-1][1][-1] += match[0]
    found[-1][1][-1] += command[end:]
    return [(operator, [stage.strip() for stage in stages]) for operator, stages in found]


def run_stage(stage: str, data: str, status: int, folder: Path) -> tuple[str, str, int]:
    """Return standard output, standard error and the exit code."""
    if not stage.startswith("implicitgrad "):
        command = ["bash", "-c", f"(exit {status}); {stage}"]
        environment = environment_of({"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
        other = subprocess.run(
            command, input=data, capture_output=True, text=True, cwd=folder, env=environment, check=False
        )
        return other.stdout, other.stderr, other.returncode
    _, *arguments = shlex.split(stage)
    file = None
    if ">" in arguments:
        *arguments, _, file = arguments
    result = call(folder, *arguments, stdin=data)
    if file is not None:
        (folder / file).write_text(result.stdout, "utf-8")
        return "", result.stderr, result.returncode
    return result.stdout, result.stderr, result.returncode


def main() -> None:
    for page in PAGES:
        with TemporaryDirectory() as folder:
            page.path.write_text(page.rewritten(Path(folder)), "utf-8")


if __name__ == "__main__":
    main()
