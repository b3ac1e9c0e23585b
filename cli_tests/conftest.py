"""What the tests share: the installed command, run as a user runs it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAM = str(Path(sys.executable).with_name("implicitgrad"))
SCREEN_VARIABLES = ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``implicitgrad`` with arguments in an empty folder; keyword arguments: stdin, files, environment."""

    def run_program(
        *arguments: str, stdin: str | bytes = "", files: dict[str, str | bytes] | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        for name, content in (files or {}).items():
            data = content.encode() if isinstance(content, str) else content
            (tmp_path / name).write_bytes(data)
        inherited = {key: value for key, value in os.environ.items() if key not in SCREEN_VARIABLES}
        result = subprocess.run(
            [PROGRAM, *arguments],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=tmp_path,
            env=inherited | {"PYTHONIOENCODING": "utf-8"} | environment,
            timeout=60,
            check=False,
        )
        encoding = environment.get("PYTHONIOENCODING", "utf-8")
        return subprocess.CompletedProcess(
            result.args, result.returncode, result.stdout.decode(encoding), result.stderr.decode("utf-8")
        )

    return run_program
