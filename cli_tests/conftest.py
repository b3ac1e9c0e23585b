"""What the tests share: the command, called in this process or, where the process itself is tested, run as one."""

import gc
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

import pytest
from command import PROGRAM, SCREEN_VARIABLES, call, run_in_process_of_its_own
from hypothesis import HealthCheck, settings

from implicitgrad.batch.isolation import process

__all__ = [
    "IS_THOROUGH",
    "PROGRAM",
    "ROOT",
    "SCREEN_VARIABLES",
    "Run",
    "examples",
    "is_program",
    "only_thorough",
    "spread",
    "trials",
]

ROOT = Path(__file__).parent.parent
sys.dont_write_bytecode = False  # else each worker of each run rewrites the assertions of all files, for seconds,
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # and each process compiles the package
gc.disable()  # while the tests are collected: nothing of them is garbage
IS_THOROUGH = os.environ.get("IMPLICITGRAD_TESTS") == "thorough"

T = TypeVar("T")
Run = Callable[..., subprocess.CompletedProcess[str]]


def examples(number: int) -> settings:
    """Try a property on ``number`` random examples in a thorough run (IMPLICITGRAD_TESTS=thorough), else on a fifth."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(
        max_examples=number if IS_THOROUGH else max(5, number // 5), deadline=None, suppress_health_check=checks
    )


settings.register_profile("implicitgrad", examples(50))
settings.load_profile("implicitgrad")


def trials(number: int) -> int:
    """Return how often a loop is run: ``number`` times in a thorough run, else a fifth of that."""
    return number if IS_THOROUGH else -(-number // 5)


def spread(cases: Iterable[T], step: int) -> list[T]:
    """Return all cases in a thorough run, else every ``step``-th."""
    return list(cases)[:: 1 if IS_THOROUGH else step]


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)  # sympy remembers much, and to look through that takes long
    gc.enable()
    if "sympy" in sys.modules:
        remember_what_is_simplified()


def remember_what_is_simplified() -> None:
    """Simplify each expression once in this process, though many tests ask for an answer in several forms."""
    from implicitgrad.symbolic.function_field import simplest

    simplest._simplified = cache(simplest._simplified)


only_thorough = pytest.mark.skipif(not IS_THOROUGH, reason="takes long: IMPLICITGRAD_TESTS=thorough runs it")


def is_program(path: Path) -> bool:
    """Return whether a sample is a quadratic program."""
    return re.search("^(P|q|minimize|maximize):", path.read_text("utf-8"), re.MULTILINE) is not None


@pytest.fixture(autouse=True)
def algebra_in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do algebra in this process, where sympy remembers what it has computed and no load of the machine ends it.

    Tests of the processes that it is done in otherwise have the mark ``forks``.
    """
    if request.node.get_closest_marker("forks") is None:
        monkeypatch.setattr(process, "CAN_FORK", False)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Call ``implicitgrad`` in this process, in an empty folder; keyword arguments: stdin, files, environment."""
    return partial(call, tmp_path)


@pytest.fixture
def run_process(tmp_path: Path) -> Run:
    """Run ``implicitgrad`` as a process of its own; the arguments are those of ``run``."""
    return partial(run_in_process_of_its_own, tmp_path)
