"""Build a LinearSystem from a SystemSpec, a system as it is written.

A reader hands over the values of all keys and where each of them stands. SystemSpec.build() is the one place that
checks them, and that says where a value does not fit, and why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from implicitgrad.model.exact_cost import ALWAYS_EXACT, QUICK, SETTLED, is_quick, least_estimate
from implicitgrad.model.spec import Path, Site, SourceValue
from implicitgrad.model.system import AUTO, Arithmetic, LinearSystem, Origin, chosen_arithmetic
from implicitgrad.numbers.ball import BallMatrix, Decimals, from_array, from_texts, is_array_of_doubles
from implicitgrad.numbers.exact import PlainDecimals, Ratio, RationalMatrix, read_plain_decimals
from implicitgrad.numbers.values import (
    as_fraction,
    described,
    has_decimals,
    is_rectangle_of_texts,
    plain,
    ratio_of,
    shape_of,
    text_of,
)
from implicitgrad.symbolic.element import Derivative
from implicitgrad.text.characters import count, quoted
from implicitgrad.text.errors import MAX_PROBLEMS_SHOWN, InputError, Problem, with_others
from implicitgrad.text.number_grammar import NumberError, parse_ratio

if TYPE_CHECKING:
    from implicitgrad.symbolic.mistaken_names import WrittenEntry


class Expressions(list[tuple[Any, ...]]):
    """Rows of sympy's expressions, before they are values of one field."""

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns."""
        return len(self), len(self[0])


class _LettersFound(Exception):
    """An entry that is no number is meant as an expression."""


class NeedsAlgebra(Exception):
    """A system is more than numbers: it has letters, or equations that are not linear."""


INSTALL_SYMPY = "Letters and nonlinear equations need sympy: pip install 'implicitgrad[symbolic]'"
Numbers = RationalMatrix | BallMatrix | Expressions


class Read(NamedTuple):
    """What equations say."""

    parts: dict[str, SourceValue]
    """A, B, x and y of a system, and maybe hessian."""
    origin: Origin | None
    """The equations; none if they are linear with numbers as coefficients, no constants, and all unknowns."""
    linearize: Callable[[int], Read] | None = None
    """Says both where that needs sympy, which may take long, with derivatives up to an order. Raises InputError."""


class SystemSpec:
    """A system as written, not yet checked: its parts by key (A, B, dL_dy, x, y) and what is wrong so far."""

    def __init__(self, source: str, parts: dict[str, SourceValue], name: str) -> None:
        self.source, self.parts, self.name = source, parts, name
        self.problems: list[Problem] = []
        self.strange: dict[str, list[Problem]] = {}
        """For each matrix, the problems of Python values that are neither numbers nor text, reported as one."""
        self.arithmetic = Arithmetic.EXACT
        self.is_exact_asked_for = False
        self.why_no_letters: str | None = None
        """What to say of an expression with letters, where that is a mistake in the place of a number."""
        self.origin: Origin | None = None
        """The equations that A and B were made from, if they say more."""
        self.order = 1
        """Of the derivatives that are asked for."""
        self.linearize: Callable[[int], Read] | None = None
        """Makes A and B of equations that need sympy; None where that has been done."""
        self.expect: Callable[[], dict[str, SourceValue]] = dict
        """Reads what is claimed of the answer, by key and constraints.matrix; only who checks it asks."""
        self.site: Callable[[], Site] | None = None
        """Finds where what is expected would be written."""
        self.expressions: list[WrittenEntry] = []
        """The entries that have letters."""
        self.with_care: Callable[[], SystemSpec] | None = None
        """Reads it again with a look at where everything stands; None where that has been done."""
        self.is_of_numbers = False
        """Letters in it are NeedsAlgebra."""
        self.has_numbers_alone = False
        """Every text in it is a number as JSON has them."""
        self.radii: dict[str, dict[tuple[int, int], float]] = {}
        """How far numbers may be from the constants that they stand for, by row and column of each matrix."""
        self.decimals: dict[str, PlainDecimals] = {}
        """The matrices that are plain decimals, as they were read."""

    @property
    def is_binary(self) -> bool:
        """Whether any of its matrices is an array of doubles, not text."""
        return any(is_array_of_doubles(part.value) for key, part in self.parts.items() if key in ("A", "B", "dL_dy"))

    def build(self, arithmetic: str = AUTO) -> LinearSystem:
        """The system, if everything in it fits. Raises InputError with every problem found.

        arithmetic : "exact", "float", or "auto", which takes doubles for arrays of them and for what is large.
        """
        try:
            self.complete()
            return self._of_numbers_or_letters(arithmetic)
        except InputError:
            if self.with_care is None:
                raise
            spec = self.with_care()
            spec.why_no_letters = self.why_no_letters
            spec.is_of_numbers, spec.order = self.is_of_numbers, self.order
            return spec.build(arithmetic)

    def build_numbers(self, arithmetic: str = AUTO) -> LinearSystem:
        """As build, if that needs no sympy. Raises NeedsAlgebra, too, before any is done."""
        if self.linearize is not None:
            raise NeedsAlgebra
        self.is_of_numbers = True
        try:
            return self.build(arithmetic)
        finally:
            self.is_of_numbers = False

    def take(self, read: Read) -> None:
        """Take what equations say; what is there already stays."""
        for key, part in read.parts.items():
            self.parts.setdefault(key, part)
        self.origin, self.linearize = read.origin, read.linearize

    def complete(self) -> None:
        """Make A and B of equations that need sympy. Raises InputError."""
        if self.linearize is not None:
            self.take(self.linearize(self.order))

    def _of_numbers_or_letters(self, arithmetic: str) -> LinearSystem:
        self._choose(arithmetic)
        before = len(self.problems)
        try:
            system = self._built()
        except _LettersFound:
            del self.problems[before:]
            if self.is_of_numbers:
                raise NeedsAlgebra from None
            self.arithmetic = Arithmetic.FLOAT if self.is_large else Arithmetic.SYMBOLIC
            return self._built()
        if arithmetic != AUTO or self.is_binary or self.is_near_a_point:
            return system
        if self.arithmetic is Arithmetic.EXACT:
            if is_quick(system):
                return system
            self.arithmetic = Arithmetic.FLOAT
            return self._built()._replace(exactly=lambda: system)
        return system if self._least_estimate() > SETTLED else system._replace(exactly=self._exactly)

    def _exactly(self) -> LinearSystem:
        self.arithmetic = Arithmetic.EXACT
        return self._built()

    def _built(self) -> LinearSystem:
        self.decimals, self.strange, self.radii = {}, {}, {}
        if self.arithmetic is Arithmetic.EXACT:
            self._read_at_once()
        A = self._matrix("A") if "A" in self.parts else None
        B = self._matrix("B") if "B" in self.parts else None
        dL_dy, has_one_loss = self._gradient()
        x = y = None
        if A is not None:
            M, N = A.shape
            if B is not None and len(B) != M:
                self._refuse("B", (), f"B has {count(len(B), 'row')}; expected {M}, as A has", _shapes(A=A, B=B))
            self._check_gradient(dL_dy, A, has_one_loss)
            if "B" not in self.parts or B is not None:
                owner, P = ("row of A", M) if B is None else ("column of B", B.shape[1])
                x = self._names("x", P, owner)
            y = self._names("y", N, "column of A")
        self.problems += [with_others(first, len(rest)) for first, *rest in self.strange.values()]
        if self.problems or A is None or x is None or y is None:
            raise InputError(self.problems)
        origin = self.origin
        if origin is not None and "hessian" in self.parts:
            origin = origin._replace(hessian=self._matrix("hessian"))
        remarks = self._remarks() if origin is None else origin.remarks
        system = LinearSystem(
            A, B, dL_dy, has_one_loss, x, y, self.name, self.source, self._has_decimals(), origin, remarks
        )
        if self.arithmetic is Arithmetic.SYMBOLIC:
            try:
                return self._in_letters(system)
            except (OverflowError, RecursionError):
                from implicitgrad.symbolic.grammar import TOO_LARGE

                raise InputError([Problem(TOO_LARGE, None, "too-large", self.source)]) from None
        return system if self.arithmetic is Arithmetic.EXACT else self._in_doubles(system)

    def _remarks(self) -> tuple[tuple[str, str], ...]:
        """Warnings about names that are probably misread: their codes and messages."""
        if not self.expressions:
            return ()
        from implicitgrad.symbolic.mistaken_names import remarks_on

        return remarks_on(self.expressions, (), are_entries=True)

    def _read_at_once(self) -> None:
        """A, and dL_dy, a row of which has an entry for each column of A, where all of it is plain decimals."""
        if "A" not in self.parts or "dL_dy" not in self.parts:
            return
        A, dL_dy = self.parts["A"].value, self.parts["dL_dy"].value
        if not isinstance(A, list) or not isinstance(dL_dy, list):
            return
        gradients = dL_dy if list in map(type, dL_dy) else [dL_dy]
        found = read_plain_decimals(A, gradients, are_numbers=self.has_numbers_alone)
        if found is not None:
            self.decimals["A"], self.decimals["dL_dy"] = found

    def _has_decimals(self) -> bool:
        if self.arithmetic is Arithmetic.SYMBOLIC or self.radii.get("A"):
            return False
        decimals = self.decimals.get("A")
        return has_decimals(self.parts["A"].value) if decimals is None else decimals.has_decimals

    def _in_letters(self, system: LinearSystem) -> LinearSystem:
        """The system with its matrices of expressions as matrices of one field."""
        from implicitgrad.symbolic.field import Field, differences

        found = {"A": system.A, "B": system.B, "dL_dy": system.dL_dy}
        if system.origin is not None:
            found["hessian"] = system.origin.hessian
        matrices: dict[str, Any] = {key: matrix for key, matrix in found.items() if matrix is not None}
        if not system.is_local:
            self._refuse_variables(matrices, {*system.x, *system.y})
        expressions = [entry for matrix in matrices.values() for row in matrix for entry in row]
        if "hessian" in matrices and system.origin is not None and not system.origin.point:
            expressions += differences(system.origin.equations)  # which may make second derivatives shorter
        field = Field(expressions)
        values: dict[str, Any] = {}
        for key, matrix in matrices.items():
            try:
                values[key] = field.matrix(matrix)
            except ZeroDivisionError:
                self._refuse(key, (), f"{key}: expected entries that exist, got a division by 0", code="bad-number")
        if self.problems:
            raise InputError(self.problems)
        if system.origin is not None:
            system = system._replace(origin=system.origin._replace(hessian=values.pop("hessian", None)))
        return system._replace(**values)

    def _refuse_variables(self, matrices: dict[str, Any], variables: set[str]) -> None:
        """Letters of a matrix are none of x and y."""
        for key in [key for key in ("A", "B") if key in matrices]:
            for i, row in enumerate(matrices[key]):
                for j, entry in enumerate(row):
                    strange = sorted({letter.name for letter in entry.free_symbols} & variables)
                    if strange:
                        message = f"{key}[{i + 1}][{j + 1}]: expected a coefficient without x and y, got {strange[0]!r}"
                        hint = "Give the letter another name; equations may be nonlinear"
                        self._refuse(key, (i, j), message, hint, "bad-name")

    def _choose(self, arithmetic: str) -> None:
        """Whether numbers are read as rational ones or as doubles."""
        self.is_exact_asked_for = arithmetic == Arithmetic.EXACT
        if arithmetic == AUTO:
            is_float = self.is_binary or self.is_near_a_point or (self.is_large and self._least_estimate() > QUICK)
            self.arithmetic = Arithmetic.FLOAT if is_float else Arithmetic.EXACT
            return
        self.arithmetic = chosen_arithmetic(arithmetic)
        if self.is_near_a_point and self.arithmetic is Arithmetic.EXACT:
            assert self.origin is not None
            message = f"expected a point that solves the equations exactly, got one that leaves {self.origin.residual}"
            hint = "Doubles are used there unless --arithmetic exact asks for more"
            raise InputError([Problem(message, hint, "bad-point", self.source)])

    @property
    def is_large(self) -> bool:
        """Whether it has more equations, unknowns or inputs than are always solved exactly."""
        return max((size for shape in self._shapes_read() for size in shape), default=0) > ALWAYS_EXACT

    def _shapes_read(self) -> list[tuple[int, ...]]:
        return [shape_of(self.parts[key].value) for key in ("A", "B") if key in self.parts]

    def _least_estimate(self) -> float:
        """Seconds that exact arithmetic takes at least; 0 where A or B is no matrix."""
        shapes = self._shapes_read()
        if "A" not in self.parts or any(len(shape) != 2 for shape in shapes):
            return 0.0
        (M, N), *others = shapes
        return least_estimate(M, N, others[0][1] if others else None)

    @property
    def is_near_a_point(self) -> bool:
        """Whether A and B are of a point that solves the equations nearly."""
        return self.origin is not None and self.origin.residual != "0"

    def _in_doubles(self, system: LinearSystem) -> LinearSystem:
        try:
            return self._widened(system.with_arithmetic(Arithmetic.FLOAT))
        except OverflowError:
            message = "expected numbers within the range of doubles, got one beyond ±1.8e308, or too near to 0"
            hint = "--arithmetic exact takes it as it is"
            raise InputError([Problem(message, hint, "overflow", self.source)]) from None

    def _widened(self, system: LinearSystem) -> LinearSystem:
        """The system with how far its matrices may be from constants, or from those of a solution near the point."""
        wide: dict[str, Any] = {}
        for key, matrix in {"A": system.A, "B": system.B, "dL_dy": system.dL_dy}.items():
            if isinstance(matrix, BallMatrix) and (radii := self._radii_of(key, matrix)) is not None:
                wide[key] = matrix.widened(radii)
        return system._replace(**wide) if wide else system

    def _radii_of(self, key: str, matrix: BallMatrix) -> Sequence[Sequence[float]] | None:
        """How far a matrix's entries may be from what they stand for, beside rounding."""
        if self.origin is not None and self.origin.radii is not None and key != "dL_dy":
            return self.origin.radii["AB".index(key)]
        found = self.radii.get(key)
        if not found:
            return None
        rows, columns = matrix.shape
        return [[found.get((i, j), 0.0) for j in range(columns)] for i in range(rows)]

    def _refuse(self, key: str, path: Path, message: str, hint: str | None = None, code: str = "bad-shape") -> None:
        part = self.parts[key]
        place = part.locate(path) if len(self.problems) < MAX_PROBLEMS_SHOWN else None
        self.problems.append(Problem(message, hint, code).at(part.source or self.source, place))

    def _matrix(self, key: str) -> Numbers | None:
        """The (rows, columns) matrix under ``key``, or None when something in it was refused."""
        if key in self.decimals:
            return self.decimals[key].matrix
        value = self._listed(key)
        if isinstance(value, BallMatrix):
            return value
        if not isinstance(value, list):
            hint = "Write it as [[1, 2], [3, 4]]" if isinstance(value, str) and value else None
            self._refuse(key, (), f"{key}: expected a list of rows, got {described(value)}", hint)
            return None
        if value and list not in map(type, value):
            column = {"A": "unknown", "B": "input"}[key]
            hint = f"One equation is one row, [[1, 2]]; one {column} is one column, [[1], [2]]"
            found = f"a list of {count(len(value), 'entry')}"
            self._refuse(key, (), f"{key}: expected a list of rows, got {found}", hint)
            return None
        return self._rows(key, value)

    def _gradient(self) -> tuple[Numbers | None, bool]:
        """dL_dy as K rows, and whether it was one vector."""
        if "dL_dy" not in self.parts:
            return None, False
        value = self._listed("dL_dy")
        if isinstance(value, BallMatrix):
            return value, getattr(self.parts["dL_dy"].value, "ndim", 2) == 1
        if not isinstance(value, list):
            self._refuse("dL_dy", (), f"dL_dy: expected a list of numbers, got {described(value)}")
            return None, False
        is_one = list not in map(type, value)
        if "dL_dy" in self.decimals:
            return self.decimals["dL_dy"].matrix, is_one
        if value and is_one:
            if self.arithmetic is not Arithmetic.SYMBOLIC and (decimals := read_plain_decimals([value])) is not None:
                return decimals[0].matrix, True
            row = self._row("dL_dy", value, ())
            return None if row is None else self._of_rows([row]), True
        return self._rows("dL_dy", value), False

    def _listed(self, key: str) -> object:
        """A part's value as lists; an array as doubles at once, where it is to be that and no entry needs a word."""
        value = self.parts[key].value
        if isinstance(value, Decimals):
            return value.doubles if self.arithmetic is Arithmetic.FLOAT else value.texts()
        if not hasattr(value, "dtype"):
            return value
        found = None
        if self.arithmetic is Arithmetic.FLOAT:
            found = from_array(value, (1, 2) if key == "dL_dy" else (2,))
        return plain(value) if found is None else found

    def _rows(self, key: str, value: list[object]) -> Numbers | None:
        if self.arithmetic is Arithmetic.EXACT:
            if (decimals := read_plain_decimals(value)) is not None:
                (self.decimals[key],) = decimals
                return self.decimals[key].matrix
        elif self.arithmetic is Arithmetic.FLOAT:
            doubles = from_texts(value) if value and is_rectangle_of_texts(value) else None
            if doubles is not None:
                return doubles
        if not value:
            self._refuse(key, (), f"{key} is empty; expected at least one row of at least one number")
            return None
        rows: list[list[Ratio] | None] = []
        width = len(value[0]) if isinstance(value[0], list) else 0
        for i, items in enumerate(value):
            here = f"{key}[{i + 1}]"
            row = None
            if not isinstance(items, list):
                self._refuse(key, (i,), f"{here}: expected a row, got {described(items)}")
            elif not items:
                self._refuse(key, (i,), f"{here} is empty; expected a row of at least one number")
            else:
                row = self._row(key, items, (i,))
                if row is not None and width and len(items) != width:  # a comma may be missing in what was refused
                    found = f"{here} has {count(len(items), 'entry')}"
                    self._refuse(key, (i,), f"{found}; expected {width}, as in {key}[1]", code="ragged")
                    row = None
            rows.append(row)
        whole = [row for row in rows if row is not None]
        return self._of_rows(whole) if len(whole) == len(rows) else None

    def _of_rows(self, rows: list[list[Any]]) -> Numbers:
        return (
            Expressions(map(tuple, rows)) if self.arithmetic is Arithmetic.SYMBOLIC else RationalMatrix.of_ratios(rows)
        )

    def _row(self, key: str, items: list[object], path: Path) -> list[Any] | None:
        if self.arithmetic is Arithmetic.SYMBOLIC:
            return self._expressions(key, items, path)
        try:
            return [parse_ratio(item) if type(item) is str else ratio_of(item) for item in items]
        except NumberError:
            constants = self._constants(key, items, path) if self.arithmetic is Arithmetic.FLOAT else None
            if constants is None:
                self._refuse_entries(key, items, path)
            return constants

    def _constants(self, key: str, items: list[object], path: Path) -> list[Ratio] | None:
        """Numbers near constants such as exp(1/3)/4, with how far they are off in ``radii``; None if there are letters.

        Raises NeedsAlgebra where that is not to be done.
        """
        found: list[Ratio] = []
        for j, item in enumerate(items):
            try:
                found.append(parse_ratio(item) if isinstance(item, str) else ratio_of(item))
                continue
            except NumberError:
                is_read = self.why_no_letters is None and self._has_letters(text_of(item))
                if not is_read and not isinstance(item, Derivative):
                    return None
            if self.is_of_numbers:
                raise NeedsAlgebra
            try:
                from implicitgrad.symbolic.interval import approximation
            except ImportError:
                return None
            near = approximation(item.expression if isinstance(item, Derivative) else text_of(item))
            if near is None:
                return None
            found.append(near.value.as_integer_ratio())
            self.radii.setdefault(key, {})[path[0] if path else 0, j] = near.radius
        return found

    def _refuse_entries(self, key: str, items: list[object], path: Path) -> None:
        """Say of each that is no number what is wrong with it."""
        for j, item in enumerate(items):
            try:
                parse_ratio(item) if isinstance(item, str) else as_fraction(item)
            except NumberError as error:
                hint = error.problem.hint
                if isinstance(item, Derivative) or self._has_letters(text_of(item)):
                    hint = self.why_no_letters or self._what_keeps_letters_out()
                    if hint is None:
                        raise _LettersFound from None
                    if isinstance(item, Derivative) and self.is_large:
                        raise InputError([self._too_many_for_letters()]) from None
                else:
                    hint = hint or self._why_no_letter(text_of(item))
                problem = error.problem._replace(hint=hint)
                self._refuse_entry(key, (*path, j), problem, is_value=not isinstance(item, str))

    def _too_many_for_letters(self) -> Problem:
        """What is wrong with equations of many names whose derivatives have letters."""
        shapes = {"A": ("equation", "unknown"), "B": ("equation", "input")}
        found = {
            noun: count(size, noun)
            for key, nouns in shapes.items()
            if key in self.parts
            for noun, size in zip(nouns, shape_of(self.parts[key].value), strict=True)
        }
        message = f"expected at most {ALWAYS_EXACT} equations, unknowns and inputs with letters"
        message = f"{message}, got {', '.join(found.values())}"
        hint = "x names the inputs; where x and y have values, --at, there may be more"
        return Problem(message, hint, "too-large", self.source)

    def _what_keeps_letters_out(self) -> str | None:
        """What keeps an expression with letters from being read, if anything does."""
        if self.arithmetic is Arithmetic.FLOAT or (self.is_large and self.is_exact_asked_for):
            return f"Letters are for exact arithmetic, of at most {ALWAYS_EXACT} equations, unknowns and inputs"
        try:
            import implicitgrad.symbolic.to_sympy  # noqa: F401
        except ImportError:
            return INSTALL_SYMPY
        return None

    def _refuse_entry(self, key: str, path: Path, problem: Problem, offset: int = 0, *, is_value: bool = False) -> None:
        entry = key + "".join(f"[{index + 1}]" for index in path)
        if is_value and self.parts[key].locate(path) is None:
            found = problem._replace(message=f"{entry}: {problem.message}")
            self.strange.setdefault(key, []).append(found.at(self.parts[key].source or self.source, None))
            return
        self._refuse(key, path, f"{entry}: {problem.message}", problem.hint, problem.code)
        last = self.problems[-1]
        if offset and last.column is not None:
            self.problems[-1] = last._replace(column=last.column + offset + self._is_quoted(key, path))

    def _is_quoted(self, key: str, path: Path) -> bool:
        """Whether a text stands between quotes, on one line."""
        part = self.parts[key]
        if part.span is None:
            return False
        (line, column), (last_line, end) = part.span(path)
        text: Any = part.value
        for index in path:
            text = text[index]
        return line == last_line and end - column == len(text) + 2

    def _has_letters(self, text: str) -> bool:
        from implicitgrad.symbolic.grammar import has_letters, why_no_coefficient

        return has_letters(text) and (self.origin is not None or why_no_coefficient(text) is None)

    def _why_no_letter(self, text: str) -> str | None:
        """Why a text that looks like an expression with letters is none."""
        from implicitgrad.symbolic.grammar import has_letters, why_no_coefficient

        if self.why_no_letters is not None:
            return None
        if has_letters(text):
            return why_no_coefficient(text) or None
        product = re.fullmatch(r"[+-]?([1-9][0-9]*)([A-DF-Za-df-z]\w*)", text)
        return f"A product is written {product[1]}*{product[2]}" if product else None

    def _expressions(self, key: str, items: list[object], path: Path) -> list[Any] | None:
        from implicitgrad.symbolic.grammar import ExpressionError, Node, read_expression
        from implicitgrad.symbolic.mistaken_names import WrittenEntry
        from implicitgrad.symbolic.to_sympy import to_expression

        found = []
        for j, item in enumerate(items):
            if isinstance(item, Derivative):
                found.append(item.expression)
                continue
            text = text_of(item)
            try:
                if self._has_letters(text):
                    node = read_expression(text)
                    self.expressions.append(WrittenEntry(text, (node,)))
                    found.append(to_expression(node))
                else:
                    numerator, denominator = parse_ratio(item) if isinstance(item, str) else ratio_of(item)
                    found.append(to_expression(Node("number", 0, value=Fraction(numerator, denominator))))
            except NumberError as error:
                problem = error.problem
                problem = problem._replace(hint=problem.hint or self._why_no_letter(text))
                self._refuse_entry(key, (*path, j), problem)
            except ExpressionError as error:
                problem = Problem(error.message, error.hint, error.code)
                self._refuse_entry(key, (*path, j), problem, error.offset)
        return found if len(found) == len(items) else None

    def _check_gradient(self, dL_dy: Numbers | None, A: Numbers, has_one_loss: bool) -> None:
        if dL_dy is None or dL_dy.shape[1] == A.shape[1]:
            return
        K, N = dL_dy.shape
        found = f"has {count(N, 'entry')}" + ("" if has_one_loss else " a row")
        hint = _shapes(A=A, dL_dy=dL_dy)
        if N == 1 and A.shape[1] == K:
            hint = "A gradient is one row, not a column"
        elif A.shape[0] == N:
            hint += "; ∂L/∂y has an entry for each unknown y, not for each equation"
        self._refuse("dL_dy", (), f"dL_dy {found}; expected {A.shape[1]}, one for each column of A", hint)

    def _names(self, key: str, expected: int, owner: str) -> tuple[str, ...] | None:
        if key not in self.parts:
            return _numbered(key, expected)
        value = self.parts[key].value
        if not isinstance(value, list):
            self._refuse(key, (), f"{key}: expected a list of names, got {described(value)}")
            return None
        before = len(self.problems)
        seen: set[str] = set()
        for i, name in enumerate(value):
            if not isinstance(name, str):
                self._refuse(key, (i,), f"{key}[{i + 1}]: expected a name, got {described(name)}", code="bad-name")
            elif not name.strip():
                self._refuse(key, (i,), f"{key}[{i + 1}]: expected a name, got an empty one", code="bad-name")
            elif name in seen:
                hint = "Each name can stand for one only"
                self._refuse(key, (i,), f"{key}[{i + 1}]: duplicate name {quoted(name)}", hint, "bad-name")
            else:
                seen.add(name)
        if len(value) != expected:
            found = f"{key} has {count(len(value), 'name')}"
            is_unparted = len(value) == 1 and " " in str(value[0])
            unparted_hint = "Names are separated by commas" if is_unparted else None
            self._refuse(key, (), f"{found}; expected {expected}, one for each {owner}", unparted_hint, "bad-name")
        return tuple(map(str, value)) if len(self.problems) == before else None


@lru_cache
def _numbered(key: str, number: int) -> tuple[str, ...]:
    """x1, x2, …"""
    return tuple([f"{key}{i}" for i in range(1, number + 1)])


def build_all(
    specs: Iterable[SystemSpec], arithmetic: str | Callable[[SystemSpec], str] = AUTO, *, numbers_alone: bool = False
) -> list[LinearSystem]:
    """The systems of all specs, in one arithmetic or each in its own. Raises InputError with the problems of all.

    numbers_alone : raise NeedsAlgebra, and do no algebra.
    """
    systems: list[LinearSystem] = []
    problems: list[Problem] = []
    for spec in specs:
        try:
            if not numbers_alone:
                spec.complete()
            chosen = arithmetic if isinstance(arithmetic, str) else arithmetic(spec)
            systems.append(spec.build_numbers(chosen) if numbers_alone else spec.build(chosen))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return systems


def _shapes(**matrices: Numbers) -> str:
    return ", ".join(f"{key} is {'×'.join(map(str, matrix.shape))}" for key, matrix in matrices.items())
