"""Pages in HTML: what they say, that nothing in them runs or is loaded, and that names are escaped."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cases import CASES, Case
from conftest import Run

from implicitgrad import solve
from implicitgrad.writers.formats import FORMATS
from implicitgrad.writers.options import WriteOptions

VOID = {"meta", "rect", "br"}


class Parsed(HTMLParser):
    """The text of a page, and its tags; fails if they are not nested."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def parsed(page: str) -> Parsed:
    assert page.startswith("<!DOCTYPE html>")
    found = Parsed(page)
    assert "script" not in found.tags
    assert found.links == []
    assert "url(" not in page
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_makes_a_page_with_its_verdict(case: Case) -> None:
    solution = solve(case.A, case.dL_dy, B=case.B)
    found = parsed(str(FORMATS["html"].write(solution, WriteOptions())))
    assert f"{solution.status}: rank {solution.rank} of {len(solution.y)}" in found.text


def test_a_page_has_the_numbers_of_the_table(run: Run, tmp_path: Path) -> None:
    options = ("-A", "1 2; 3 4", "-g", "1 1")
    result = run("solve", *options, "-o", "answer.html")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    found = parsed((tmp_path / "answer.html").read_text("utf-8"))
    assert "∂y/∂x x1 x2 y1 -2 1 y2 3/2 -1/2 ∂L/∂x -1/2 1/2" in found.text
    free = parsed(run("solve", "-A", "3 5", "-g", "7 11", "--format", "html").stdout)
    assert "y1 free y2 1/5 − 3/5·∂y1/∂x1" in free.text
    steps = parsed(run("solve", *options, "--steps", "--format", "html").stdout)
    assert "1. The equations" in steps.text


def test_a_program_makes_a_page(run: Run) -> None:
    text = '{"P": [[2]], "q": [-2], "lb": [0], "dL_dz": [1], "names": {"z": ["<b>&"]}}'
    found = parsed(run("solve", "-", "--format", "html", stdin=text).stdout)
    assert "b" not in found.tags
    assert "differentiable: z is unique" in found.text
    assert "q[<b>&]" in found.text


def test_names_are_text_and_nothing_else(run: Run) -> None:
    document = "A: [[1, 2], [3, 4]]\nname: '<script>alert(1)</script>'\nx: [a, '<i>']\ny: ['</td>', '\"q\"']\n"
    found = parsed(run("solve", "-", "--format", "html", stdin=document).stdout)
    assert "i" not in found.tags
    for name in ("<script>alert(1)</script>", "<i>", "</td>", '"q"'):
        assert name in found.text


def test_a_system_that_is_not_small_has_a_picture(run: Run) -> None:
    rows = "; ".join(" ".join("3" if i == j else "1" if abs(i - j) == 1 else "0" for j in range(14)) for i in range(14))
    found = parsed(run("solve", "-A", rows, "--format", "html").stdout)
    assert "svg" in found.tags
    assert found.tags.count("rect") > 100
    assert "svg" not in parsed(run("solve", "-A", "1 2; 3 4", "--format", "html").stdout).tags


def test_the_report_of_a_check_is_a_page(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("A: [[2]]\nexpect: {dy_dx: [[1/2]], rank: 1}\n")
    (tmp_path / "wrong.yaml").write_text("A: [[2]]\ndL_dy: [1]\nexpect: {dL_dx: [-1/2]}\n")
    (tmp_path / "broken.yaml").write_text("A: [[<u>]]\n")
    result = run("check", "good.yaml", "wrong.yaml", "broken.yaml", "--format", "html")
    assert result.returncode == 2
    found = parsed(result.stdout)
    assert "3 claims about 2 systems, 2 hold, 1 fail, 1 file not read" in found.text
    assert re.search(r"wrong\.yaml:3:\d+ dL_dx fails -1/2 .* is a sign flipped\?", found.text)
    assert "u" not in found.tags
    shorter = parsed(run("check", "good.yaml", "wrong.yaml", "--format", "html", "--quiet").stdout)
    assert "good.yaml" not in shorter.text
