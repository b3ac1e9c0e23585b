"""Parse the matrices of a system in one arithmetic, and locate what is wrong with an entry.

There are two passes. The first parses all entries of a matrix at once and returns None if any is not a plain decimal.
The second parses entry by entry: it takes fractions and expressions too, and reports every other entry with its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from implicitgrad.model.spec import NeedsAlgebra, Path, SystemSpec
from implicitgrad.model.system import ALWAYS_EXACT, Arithmetic, numbered
from implicitgrad.numbers.doubles import Decimals
from implicitgrad.numbers.exact import Ratio, RationalMatrix, read_plain_decimals
from implicitgrad.numbers.matrix import BaseMatrix, RowMatrix
from implicitgrad.numbers.values import as_fraction, axes_of, described, plain, rectangle_of_texts, shape_of
from implicitgrad.text.characters import count, quoted
from implicitgrad.text.errors import MAX_PROBLEMS_SHOWN, InputError, Problem
from implicitgrad.text.number_grammar import NumberError, parse_ratio

if TYPE_CHECKING:
    from implicitgrad.symbolic.grammar.mistaken_names import WrittenEntry


LARGE = 2**10
"""The entries from which on operations on arrays of bytes parse decimals sooner than float() does."""


class LettersFound(Exception):
    """An entry is an expression; the system must be parsed in symbolic arithmetic, or in doubles if it is large."""


ParsedMatrix = BaseMatrix[Any]
"""In symbolic arithmetic, a matrix of SymPy expressions, before they are elements of one field."""


def is_large(spec: SystemSpec) -> bool:
    """Return whether a system has more equations, unknowns or inputs than are always solved exactly."""
    return any(max(shape, default=0) > ALWAYS_EXACT for shape in shapes_of(spec))


def shapes_of(spec: SystemSpec) -> list[tuple[int, ...]]:
    """Return the shapes of A and of B, if it is given, before they are parsed; () for a value that is no matrix."""
    return [shape_of(spec.values[key].value) for key in ("A", "B") if key in spec.values]


class MatrixParser:
    """The matrices of one system, parsed in one arithmetic, and the problems found so far."""

    def __init__(
        self, spec: SystemSpec, arithmetic: Arithmetic, *, allow_algebra: bool = True, is_exact_required: bool = False
    ) -> None:
        self.spec, self.arithmetic = spec, arithmetic
        self.allow_algebra, self.is_exact_required = allow_algebra, is_exact_required
        self.problems = list(spec.problems)
        self.foreign: dict[str, list[Problem]] = {}
        """By matrix: problems of Python values that are neither numbers nor text, to be reported as one."""
        self.expressions: list[WrittenEntry] = []
        """The entries that have letters."""
        self.radii: dict[str, dict[tuple[int, int], float]] = {}
        """By matrix and (row, column): the radius of a ball that holds a constant such as exp(1/3)."""

    def matrix(self, key: str) -> ParsedMatrix | None:
        """Return the (rows, columns) matrix of a key; None if something in it was refused."""
        value = self._as_lists(key)
        if isinstance(value, BaseMatrix):
            return value
        if not isinstance(value, list):
            from implicitgrad.readers.value_hints import value_hint

            hint = "Write it as [[1, 2], [3, 4]]" if value else None
            hint = value_hint(key, value) or hint
            self.refuse(key, (), f"{key}: expected a list of rows, got {described(value)}", hint)
            return None
        if value and list not in map(type, value):
            column = "input" if key == "B" else "unknown"
            hint = f"One equation is one row, [[1, 2]]; one {column} is one column, [[1], [2]]"
            self.refuse(key, (), f"{key}: expected a list of rows, got a list of {count(len(value), 'entry')}", hint)
            return None
        return self._parse_rows(key, value)

    def rows_or_vector(self, key: str) -> tuple[ParsedMatrix | None, bool]:
        """Return dL_dy or x_value as rows, None if it is absent or was refused, and whether it is one vector."""
        if key not in self.spec.values:
            return None, False
        value = self._as_lists(key)
        if isinstance(value, BaseMatrix):
            return value, getattr(self.spec.values[key].value, "ndim", 2) == 1
        if not isinstance(value, list):
            from implicitgrad.readers.value_hints import value_hint

            message = f"{key}: expected a list of numbers, got {described(value)}"
            self.refuse(key, (), message, value_hint(key, value))
            return None, False
        if not value or list in map(type, value):
            return self._parse_rows(key, value), False
        if self.arithmetic is Arithmetic.EXACT and (found := self._parse_at_once([value])) is not None:
            return found, True
        row = self._parse_row(key, value, ())
        return None if row is None else self._of_rows([row]), True

    def vector(self, key: str) -> RationalMatrix | None:
        """Return the vector of a key as a matrix of one row, in exact arithmetic; None if something was refused."""
        value = self._as_lists(key)
        if not isinstance(value, list) or list in map(type, value):
            found = "a list of rows" if isinstance(value, list) else described(value)
            self.refuse(key, (), f"{key}: expected a list of numbers, got {found}", "Write it as [1, 2]")
            return None
        row = self._parse_row(key, value, ())
        return None if row is None else RationalMatrix.of_ratios([row])

    def names(self, key: str, expected: int, owner: str) -> tuple[str, ...] | None:
        """Return the names of x, y or ``names.z``, numbered ones unless given; None if one was refused.

        owner : what each name stands for, such as "column of A".
        """
        if key not in self.spec.values:
            return numbered(key, expected)
        value = self.spec.values[key].value
        shown = key.replace(".", ": ")
        if not isinstance(value, list):
            code = "bad-shape" if shown == key else "bad-name"
            self.refuse(key, (), f"{shown}: expected a list of names, got {described(value)}", code=code)
            return None
        before = len(self.problems)
        seen: set[str] = set()
        for i, name in enumerate(value):
            here = f"{shown}[{i + 1}]"
            if not isinstance(name, str):
                self.refuse(key, (i,), f"{here}: expected a name, got {described(name)}", code="bad-name")
            elif not name.strip():
                self.refuse(key, (i,), f"{here}: expected a name, got an empty one", code="bad-name")
            elif name in seen:
                hint = "Each name can stand for one only"
                self.refuse(key, (i,), f"{here}: duplicate name {quoted(name)}", hint, "bad-name")
            else:
                seen.add(name)
        if len(value) != expected:
            found = f"{shown} has {count(len(value), 'name')}"
            lacks_commas = expected > 1 and len(value) == 1 and " " in str(value[0])
            comma_hint = "Names are separated by commas" if lacks_commas else None
            self.refuse(key, (), f"{found}; expected {expected}, one for each {owner}", comma_hint, "bad-name")
        return tuple(map(str, value)) if len(self.problems) == before else None

    def refuse(self, key: str, path: Path, message: str, hint: str | None = None, code: str = "bad-shape") -> None:
        """Report a problem with the value at a path; only as many are located as are shown."""
        value = self.spec.values[key]
        place = value.locate(path) if len(self.problems) < MAX_PROBLEMS_SHOWN else None
        self.problems.append(Problem(message, hint, code).at(value.source or self.spec.source, place))

    def _as_lists(self, key: str) -> object:
        """Return a value as nested lists; in float arithmetic, arrays and Decimals as matrices of doubles."""
        value = self.spec.values[key].value
        is_float = self.arithmetic is Arithmetic.FLOAT
        if isinstance(value, Decimals):
            return value.doubles if is_float else value.texts()
        if not hasattr(value, "dtype"):
            return value  # also a SparseMatrix
        if is_float:
            from implicitgrad.numbers.ball import from_array

            found = from_array(value, (1, 2) if key in ("dL_dy", "x_value", "dx") else (2,))
            if found is not None:
                return found
        return plain(value)

    def _parse_rows(self, key: str, value: list[object]) -> ParsedMatrix | None:
        found = self._parse_at_once(value)
        return self._parse_entries(key, value) if found is None else found

    def _parse_at_once(self, rows: list[object]) -> ParsedMatrix | None:
        """Parse all entries together. Return None if one is not a plain decimal; _parse_entries then locates it."""
        if self.arithmetic is Arithmetic.EXACT:
            return read_plain_decimals(rows)
        if self.arithmetic is not Arithmetic.FLOAT or (texts := rectangle_of_texts(rows)) is None:
            return None
        if len(texts) * len(texts[0]) < LARGE:
            from implicitgrad.numbers.ball import from_texts

            return from_texts(texts)
        from implicitgrad.readers.arrays.decimals import large_matrix

        return large_matrix(texts)

    def _parse_entries(self, key: str, value: list[object]) -> ParsedMatrix | None:
        """Parse entry by entry, and report every problem with its place."""
        if not value:
            self.refuse(key, (), f"{key} is empty; expected at least one row of at least one number")
            return None
        if axes_of(value) > 2 and all(type(row) is list and {*map(type, row)} == {list} for row in value):
            hint = "A stack of systems is read from .npy and .npz; in a .jsonl file each line is a system"
            if len(value) == 1:
                hint = "Leave out the outer brackets"
            self.refuse(key, (), f"{key}: expected rows of numbers, got lists of rows", hint, "bad-number")
            return None
        rows: list[list[Any]] = []
        width = len(value[0]) if isinstance(value[0], list) else 0
        for i, entries in enumerate(value):
            here = f"{key}[{i + 1}]"
            if not isinstance(entries, list):
                self.refuse(key, (i,), f"{here}: expected a row, got {described(entries)}")
            elif not entries:
                self.refuse(key, (i,), f"{here} is empty; expected a row of at least one number")
            elif (row := self._parse_row(key, entries, (i,))) is not None:
                rows.append(row)
                if width and len(entries) != width:  # a refused entry may lack a comma
                    found = f"{here} has {count(len(entries), 'entry')}"
                    self.refuse(key, (i,), f"{found}; expected {width}, as in {key}[1]", code="ragged")
                    rows.pop()
        return self._of_rows(rows) if len(rows) == len(value) else None

    def _of_rows(self, rows: list[list[Any]]) -> ParsedMatrix:
        if self.arithmetic is Arithmetic.SYMBOLIC:
            return RowMatrix(rows)
        return RationalMatrix.of_ratios(rows)

    def _parse_row(self, key: str, entries: list[object], path: Path) -> list[Any] | None:
        """Return ratios, or expressions in symbolic arithmetic; None if an entry was refused."""
        if self.arithmetic is Arithmetic.SYMBOLIC:
            return self._parse_expressions(key, entries, path)
        try:
            return [
                parse_ratio(entry) if type(entry) is str else as_fraction(entry).as_integer_ratio() for entry in entries
            ]
        except NumberError:
            constants = self._enclose_constants(key, entries, path) if self.arithmetic is Arithmetic.FLOAT else None
            if constants is None:
                self._refuse_entries(key, entries, path)
            return constants

    def _enclose_constants(self, key: str, entries: list[object], path: Path) -> list[Ratio] | None:
        """Return the centres of balls around constants such as exp(1/3)/4, and numbers as they are.

        Return None if an entry has letters or is no expression. Raise NeedsAlgebra if algebra is not allowed.
        """
        from implicitgrad.readers.equations.entries import enclose, is_expression

        found: list[Ratio] = []
        for j, entry in enumerate(entries):
            try:
                found.append(parse_ratio(entry) if isinstance(entry, str) else as_fraction(entry).as_integer_ratio())
                continue
            except NumberError:
                if not is_expression(entry, self.spec):
                    return None
            if not self.allow_algebra:
                raise NeedsAlgebra
            ball = enclose(entry)
            if ball is None:
                return None
            found.append(ball.value.as_integer_ratio())
            self.radii.setdefault(key, {})[path[0] if path else 0, j] = ball.radius
        return found

    def _refuse_entries(self, key: str, entries: list[object], path: Path) -> None:
        """Report each entry that is no number. Raise LettersFound if one is an expression that can be read."""
        from implicitgrad.readers.equations import entries as expressions

        for j, entry in enumerate(entries):
            try:
                parse_ratio(entry) if isinstance(entry, str) else as_fraction(entry)
            except NumberError as error:
                hint = error.problem.hint
                if expressions.is_expression(entry, self.spec, if_read=False):
                    hint = self.spec.no_letters_hint or self._what_keeps_letters_out()
                    if hint is None:
                        raise LettersFound from None
                    if expressions.is_derivative(entry) and is_large(self.spec):
                        raise InputError([expressions.too_many_for_letters(self.spec)]) from None
                    if (wrong := expressions.error_in(entry, self.spec)) is not None:
                        found = Problem(wrong.message, wrong.hint, wrong.code)
                        self._refuse_entry(key, (*path, j), found, wrong.offset)
                        continue
                else:
                    hint = hint or _hint_at_entry(key, entry) or expressions.mistake_in(entry, self.spec)
                problem = error.problem._replace(hint=hint)
                self._refuse_entry(key, (*path, j), problem, is_foreign=not isinstance(entry, str))

    def _what_keeps_letters_out(self) -> str | None:
        """Return the reason why expressions cannot be read, if there is one."""
        if self.arithmetic is Arithmetic.FLOAT or (self.is_exact_required and is_large(self.spec)):
            return f"Letters are for exact arithmetic, of at most {ALWAYS_EXACT} equations, unknowns and inputs"
        from implicitgrad.readers.equations.entries import why_no_algebra

        return why_no_algebra()

    def _parse_expressions(self, key: str, entries: list[object], path: Path) -> list[Any] | None:
        from implicitgrad.readers.equations.entries import mistake_in, parse_expression
        from implicitgrad.symbolic.grammar.expressions import ExpressionError

        found = []
        for j, entry in enumerate(entries):
            try:
                expression, written = parse_expression(entry, self.spec)
                found.append(expression)
                if written is not None:
                    self.expressions.append(written)
            except NumberError as error:
                hint = error.problem.hint or _hint_at_entry(key, entry) or mistake_in(entry, self.spec)
                self._refuse_entry(key, (*path, j), error.problem._replace(hint=hint))
            except ExpressionError as error:
                self._refuse_entry(key, (*path, j), Problem(error.message, error.hint, error.code), error.offset)
        return found if len(found) == len(entries) else None

    def _refuse_entry(
        self, key: str, path: Path, problem: Problem, offset: int = 0, *, is_foreign: bool = False
    ) -> None:
        """Report a problem with an entry, ``offset`` characters into its text."""
        entry = key + "".join(f"[{index + 1}]" for index in path)
        value = self.spec.values[key]
        if is_foreign and value.locate(path) is None:
            found = problem._replace(message=f"{entry}: {problem.message}")
            self.foreign.setdefault(key, []).append(found.at(value.source or self.spec.source, None))
            return
        self.refuse(key, path, f"{entry}: {problem.message}", problem.hint, problem.code)
        last = self.problems[-1]
        if offset and last.column is not None:
            self.problems[-1] = last._replace(column=last.column + offset + self._is_quoted(key, path))

    def _is_quoted(self, key: str, path: Path) -> bool:
        """Return whether a text stands between quotes, on one line."""
        value = self.spec.values[key]
        if value.span is None:
            return False
        (line, column), (last_line, end) = value.span(path)
        text: Any = value.value
        for index in path:
            text = text[index]
        return line == last_line and end - column == len(text) + 2


def _hint_at_entry(key: str, entry: object) -> str | None:
    from implicitgrad.readers.value_hints import value_hint

    return None if isinstance(entry, dict) else value_hint(key, entry)
