"""Write answers as CSV: the spreadsheet of one answer, and the rows that batch writes."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache, partial
from io import StringIO
from sys import float_info
from typing import TYPE_CHECKING, NamedTuple

from implicitgrad.model.solution import Solution
from implicitgrad.numbers.display.form import NumberForm, NumberOptions
from implicitgrad.numbers.rounding import to_float
from implicitgrad.symbolic.function_field.element import Symbolic
from implicitgrad.text.characters import count, format_fraction, printable
from implicitgrad.text.errors import Problem, UsageError
from implicitgrad.writers.data.batch_format import BatchFormat, linear_alone
from implicitgrad.writers.elements import loss_names
from implicitgrad.writers.record import to_record

if TYPE_CHECKING:
    from implicitgrad.model.program.solution import ProgramSolution
    from implicitgrad.model.selection import Selection
    from implicitgrad.writers.options import AnySolution, WriteOptions

COLUMNS = (
    "name", "source", "status", "rank", "equations", "unknowns", "inputs", "condition", "dL_dx", "free_parameters",
    "error", "content_hash",
)  # fmt: skip
_FORMULA = re.compile(r"['\s]*[=+\-@＝＋－＠]")
"""Matches the beginning of a text that a spreadsheet may evaluate, and of one that is escaped already."""
_STREAM = re.compile("-(#[0-9]+)?")
"""Matches the source of systems from standard input."""
_MAX_INTEGER = 10**17
"""The least integer that is written with an exponent."""
_DIGITS = 17
"""The digits of a number beyond the range of doubles."""
_SMALLEST_EXPONENT, _LARGEST_EXPONENT = -5, 15
"""The decimal exponents within which a rounded number has none."""
Number = Fraction | float | Symbolic
WriteNumber = Callable[[Number], str]
Line = tuple[str, Sequence[Number | str | None]]


class Sheet(NamedTuple):
    """The cells of a spreadsheet."""

    corner: str
    heads: tuple[str, ...]
    lines: list[Line]
    """The name of each row, and its entries: None for one that is not determined, "" where there is no entry."""

    def write(self, write_number: WriteNumber) -> str:
        """Return the sheet as CSV."""
        stream = StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([self.corner, *map(_name, self.heads)])
        for label, entries in self.lines:
            cells = ("" if entry is None or isinstance(entry, str) else write_number(entry) for entry in entries)
            writer.writerow([_name(label), *cells])
        return stream.getvalue()

    def limitation(self, *, if_all: bool) -> str | None:
        """Return a message on the entries that are not determined; None if there are none, or not all."""
        cells = [entry for _, entries in self.lines for entry in entries]
        lacking = cells.count(None)
        hint = "--format json says what is known"
        is_said = lacking == len(cells) if if_all else lacking > 0
        return f"{count(lacking, 'entry')} not determined, and empty there; {hint}" if lacking and is_said else None


def sheet_of(solution: Solution, shown: Selection | None = None) -> Sheet:
    """Return ∂y/∂x with a column for each input and a row for each unknown, and a row dL/dx for each loss.

    With a dx there is a column for dy and dL along it. shown : None for everything. Raise UsageError for gradients of
    the coefficients and for second derivatives.
    """
    at = solution.at_value
    strange = "∂L/∂A and ∂L/∂B" if at is not None and (at.dL_dA or at.dL_dB) else "∂²y/∂x²" if solution.second else ""
    if strange:
        raise UsageError(f"{solution.system.source}: CSV has no place for {strange}", "--format json has them")
    rows = range(len(solution.y)) if shown is None else shown.rows
    columns = range(len(solution.x)) if shown is None else shown.columns
    heads = [solution.x[k] for k in columns]
    lines: list[Line] = []
    if not solution.is_gradient_alone:
        lines += zip([solution.y[j] for j in rows], solution.dy_dx.part(rows, columns).plain_rows(), strict=True)
    if (losses := solution.dL_dx_rows) is not None:
        gradients = losses.part(range(len(losses)), columns).plain_rows()
        lines += zip([f"d{name}/dx" for name in loss_names(len(losses))], gradients, strict=True)
    if (along := solution.along) is not None:
        heads.append("along dx")
        dy = [] if along.dy is None or solution.is_gradient_alone else along.dy.part([0], rows).plain_rows()[0]
        dL = [] if along.dL is None else along.dL.plain_rows()[0]
        lines = [(name, [*row, value]) for (name, row), value in zip(lines, [*dy, *dL], strict=True)]
    return Sheet("dy/dx", tuple(heads), lines)


def program_sheet_of(solution: ProgramSolution, wrt: Sequence[str], shown: Selection | None = None) -> Sheet:
    """Return z beside its derivatives, with a column for each parameter, and a row dL/d for each loss.

    An entry with different sides is not determined. wrt : keys of parameters, none for the usual or chosen ones.
    Raise UsageError for matrices.
    """
    from implicitgrad.writers.program.document import MATRICES, all_derivatives, chosen_parameters, usual_parameters

    if matrices := [key for key in wrt if key in MATRICES]:
        message = f"{solution.program.source}: CSV has no place for derivatives in {', '.join(matrices)}"
        raise UsageError(message, "--format json has them")
    found, wrt = all_derivatives(solution), wrt or usual_parameters(solution)
    parameters = () if found is None else found.parameters
    usual = [k for k, parameter in enumerate(parameters) if parameter.key in wrt]
    columns = chosen_parameters(found, shown) or usual
    names, z = solution.program.z, solution.z if solution.is_unique else None
    lines: list[Line] = []
    if not solution.is_gradient_alone:
        for j in range(len(names)) if shown is None else shown.rows:
            slopes = [] if found is None else [found.z[j][k] for k in columns]
            lines.append((names[j], [None if z is None else z[j], *slopes]))
    for name, row in zip(loss_names(len(found.losses)), found.losses, strict=True) if found is not None else ():
        lines.append((f"d{name}/d", ["", *[row[k] for k in columns]]))
    return Sheet("dz/d", ("z", *[parameters[k].name for k in columns]), lines)


def number_writer(options: NumberOptions) -> WriteNumber:
    """Return what writes the numbers of a spreadsheet: as decimals, unless fractions are asked for."""
    if options.form is NumberForm.FRACTION:
        return _fraction
    return partial(_decimal, digits=options.sheet_digits)


def _decimal(value: Number, digits: int | None) -> str:
    """Return the decimal of the nearest double, or of so many significant digits; letters as an expression."""
    if isinstance(value, float) and digits is None:
        return repr(value).removesuffix(".0")
    if isinstance(value, Symbolic):
        if not value.is_number:
            return _expression(value)
        value = value.approximation()
    value = Fraction(value)
    if digits is not None:
        return _rounded(value, digits)
    if value.denominator == 1 and abs(value) < _MAX_INTEGER:
        return str(value)
    double = to_float(value)
    if double is None or (value and abs(double) < float_info.min):
        return _rounded(value, _DIGITS)
    return repr(double).removesuffix(".0")


def _fraction(value: Number) -> str:
    """Return ``p/q``; letters as an expression."""
    if isinstance(value, Symbolic):
        return _expression(value)
    return format_fraction(Fraction(value))


def _rounded(value: Fraction, digits: int) -> str:
    """Return a decimal of at most so many significant digits, without trailing zeros."""
    context = Context(prec=digits)
    number = context.divide(Decimal(value.numerator), Decimal(value.denominator)).normalize(context)
    is_plain = _SMALLEST_EXPONENT <= number.adjusted() <= _LARGEST_EXPONENT
    return f"{number:f}" if is_plain else f"{number:e}"


def _expression(value: Symbolic) -> str:
    """Write an expression so that a spreadsheet does not evaluate it."""
    return value.text if value.fraction is not None else _without_formula(value.text)


def _name(name: str) -> str:
    """Return a name as a cell: with its line breaks, and other control characters escaped."""
    return _without_formula("\n".join(map(printable, name.split("\n"))))


def _without_formula(text: str) -> str:
    """Put ' before a text that a spreadsheet would evaluate, and before one that has it already."""
    return f"'{text}" if _FORMULA.match(text) else text


def write_row(solution: Solution, content_hash: str | None) -> str:
    """Return the summary of an answer in one line, with ∂L/∂x and the free parameters as JSON lists."""
    record = to_record(solution)
    values = dict(record) | dict(record["shape"])  # type: ignore[arg-type]
    values |= {"free_parameters": solution.free_parameters, "error": None, "content_hash": content_hash}
    for key in ("dL_dx", "free_parameters"):
        values[key] = json.dumps(values[key]) if values[key] else None
    return _line([values[key] for key in COLUMNS])


def write_failure_row(source: str, name: str, problem: Problem, content_hash: str | None) -> str:
    """Return the row of a system without an answer."""
    values = {"name": name, "source": source, "status": "error", "error": str(problem), "content_hash": content_hash}
    return _line([values.get(key) for key in COLUMNS])


def _line(values: Iterable[object]) -> str:
    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerow([_cell(value) for value in values])
    return stream.getvalue()


def _cell(value: object) -> object:
    """Escape a text that a spreadsheet would evaluate or a terminal would interpret."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return text if _STREAM.fullmatch(text) else _without_formula(text)


def _sheet(solution: AnySolution, options: WriteOptions) -> Sheet:
    if solution.kind == "program":
        return program_sheet_of(solution, options.wrt, options.selection)
    return sheet_of(solution, options.selection)


def write(solution: AnySolution, options: WriteOptions) -> str:
    """Write the answer to one system. Raise ImplicitGradError if the format has no place for it."""
    return _sheet(solution, options).write(number_writer(options.numbers))


def limitation(solution: AnySolution, options: WriteOptions) -> str | None:
    """Return a message on what the format leaves out of an answer, on a screen if that is all of it."""
    return _sheet(solution, options).limitation(if_all=options.is_on_screen)


@cache
def batch_format() -> BatchFormat:
    """Return how batch writes the answers to many systems into one output."""
    return BatchFormat(
        lambda solution, hash_: write_row(linear_alone(solution), hash_), write_failure_row, _line(COLUMNS)
    )
