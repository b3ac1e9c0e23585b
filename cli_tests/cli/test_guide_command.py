"""implicitgrad guide: the pages, in a pipe and on a terminal."""

import os
import pty
import re
import subprocess
from contextlib import suppress

import pytest
from command import environment_of
from conftest import PROGRAM, Run, spread
from pages import GUIDE, Page
from rich.cells import cell_len

from implicitgrad.cli.guide import _rendered as rendered


def test_the_guide_shows_its_pages(run: Run) -> None:
    contents = run("guide")
    assert (contents.returncode, contents.stderr) == (0, "")
    topics = re.findall(r"^\| \[(\w+)\]\(\1\.md\) \|", contents.stdout, re.MULTILINE)
    assert sorted([*topics, "index"]) == [page.path.stem for page in GUIDE]
    for page in GUIDE:
        result = run("guide", page.path.stem)
        assert (result.returncode, result.stdout, result.stderr) == (0, page.text, "")


def test_the_nearest_page_is_suggested(run: Run) -> None:
    result = run("guide", "chekc")
    message = "implicitgrad: the guide has no page 'chekc'. Did you mean implicitgrad guide check?\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message)
    topics = ", ".join(page.path.stem for page in GUIDE if page.path.stem != "index")
    result = run("guide", "zzz")
    message = f"implicitgrad: the guide has no page 'zzz'. The topics are {topics}\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message)


@pytest.mark.parametrize(
    ("word", "place"),
    [
        ("tolerances", "check, 'Tolerances'"),
        ("Resume", "batch, 'Resume'"),
        ("solve", "answer, 'Read the answer of solve'"),
    ],
)
def test_a_heading_is_found(run: Run, word: str, place: str) -> None:
    message = f"implicitgrad: the guide has no page '{word}'. Did you mean implicitgrad guide {place}?\n"
    result = run("guide", word)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message)


@pytest.mark.parametrize("page", GUIDE, ids=lambda page: page.path.stem)
def test_no_page_is_wider_than_the_terminal(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in spread((60, 80, 120), 3):
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("NO_COLOR", "1")
        lines = rendered(page.text).splitlines()
        assert len(lines) > 10
        assert max(map(cell_len, lines)) <= width


def on_a_terminal(*arguments: str, width: int, **variables: str) -> str:
    """Return what ``implicitgrad guide`` writes to a terminal, through a pager that changes nothing."""
    ours, theirs = pty.openpty()
    environment = environment_of({"PAGER": "cat", "TERM": "xterm", "COLUMNS": str(width)} | variables)
    process = subprocess.Popen([PROGRAM, "guide", *arguments], stdout=theirs, env=environment)
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # Linux reports the end of a terminal as an error
        while piece := os.read(ours, 65536):
            shown += piece
    os.close(ours)
    assert process.wait(timeout=30) == 0
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_on_a_terminal_a_page_is_laid_out_in_its_width(width: int) -> None:
    shown = on_a_terminal("batch", width=width)
    assert "\x1b[" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, plain.splitlines())) <= width
    assert "|---" not in plain
    assert "see cluster (implicitgrad guide cluster)" in " ".join(plain.split())


def test_without_colours_a_page_has_none() -> None:
    shown = on_a_terminal(width=80, NO_COLOR="1")
    assert "\x1b[" not in shown
    assert re.search(r"^ check +check claimed gradients", shown, re.MULTILINE)
