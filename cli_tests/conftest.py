"""What the tests share: the command, called in this process or, where the process itself is tested, run as one."""

import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from command import PROGRAM, SCREEN_VARIABLES, call, run_in_process_of_its_own
from hypothesis import HealthCheck, settings

__all__ = ["PROGRAM", "ROOT", "SCREEN_VARIABLES", "Run", "examples"]

ROOT = Path(__file__).parent.parent
IS_THOROUGH = os.environ.get("IMPLICITGRAD_TESTS") == "thorough"

Run = Callable[..., subprocess.CompletedProcess[str]]


def examples(number: int) -> settings:
    """Try a property on ``number`` random examples in a thorough run (IMPLICITGRAD_TESTS=thorough), else on a fifth."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(
        max_examples=number if IS_THOROUGH else max(20, number // 5), deadline=None, suppress_health_check=checks
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Call ``implicitgrad`` in this process, in an empty folder; keyword arguments: stdin, files, environment."""
    return partial(call, tmp_path)


@pytest.fixture
def run_process(tmp_path: Path) -> Run:
    """Run ``implicitgrad`` as a process of its own; the arguments are those of ``run``."""
    return partial(run_in_process_of_its_own, tmp_path)
