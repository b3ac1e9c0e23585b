"""Answers written without the command."""

from implicitgrad import Solution
from implicitgrad.numbers.display.form import DEFAULT, NumberOptions
from implicitgrad.terminal.streams import Screen
from implicitgrad.writers.document import Document
from implicitgrad.writers.notation import Notation
from implicitgrad.writers.options import WriteOptions
from implicitgrad.writers.pages import latex, markdown
from implicitgrad.writers.screen.page import Page, lay_out
from implicitgrad.writers.screen.summary import summarize


def write_table(solution: Solution, screen: Screen, numbers: NumberOptions = DEFAULT) -> str:
    return lay_out(solution, screen, WriteOptions(numbers))


def write_summary(solution: Solution, screen: Screen, numbers: NumberOptions = DEFAULT) -> str:
    document = Document(solution, Notation(numbers, screen.label, screen.label))
    return Page(screen, document, summarize(document, screen)).text()


def write_markdown(solution: Solution, numbers: NumberOptions = DEFAULT) -> str:
    return markdown.write(solution, WriteOptions(numbers))


def write_latex(solution: Solution, numbers: NumberOptions = DEFAULT) -> str:
    return latex.write(solution, WriteOptions(numbers))
