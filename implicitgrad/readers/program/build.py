"""Build a QuadraticProgram from a ProgramSpec: parse the matrices exactly, and check that they fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import isinf, isnan
from numbers import Number

from implicitgrad.model.program.problem import Loss, QuadraticProgram, Rows, Vector
from implicitgrad.model.program.spec import ProgramSpec
from implicitgrad.model.spec import Path, SourceValue, SystemSpec
from implicitgrad.model.system import Arithmetic, numbered
from implicitgrad.numbers.values import described, plain, with_others
from implicitgrad.readers.systems.matrices import MatrixParser
from implicitgrad.text.characters import count, quoted
from implicitgrad.text.errors import InputError, Problem

NULLS = (None, "null", "~", "")
INFINITIES = {"inf": 1, "+inf": 1, ".inf": 1, "+.inf": 1, "infinity": 1, "-inf": -1, "-.inf": -1, "-infinity": -1}
OPTIONAL = ("G", "h", "A", "b", "lb", "ub", "dL_dz", "dL_dlambda", "dL_dnu")
NO_LETTERS = "A program with letters is written minimize: ..., subject_to: ..."
ONE = "one for each unknown"


def build_program(spec: SystemSpec) -> QuadraticProgram:
    """Build the program that a ProgramSpec describes. Raise InputError with every problem found."""
    assert isinstance(spec, ProgramSpec)
    spec.no_letters_hint = NO_LETTERS
    for key in OPTIONAL:
        if key in spec.values and _is_null(spec.values[key].value):
            del spec.values[key]
    return _ProgramParser(spec).program()


def _is_null(value: object) -> bool:
    if hasattr(value, "shape") and value.shape == ():
        value = value.item()  # type: ignore[attr-defined]
    return not isinstance(value, list) and not hasattr(value, "shape") and (value is None or value in NULLS)


class _ProgramParser:
    """The values of one program, parsed, and the problems found so far."""

    def __init__(self, spec: ProgramSpec) -> None:
        self.spec = spec
        self.parser = MatrixParser(spec, Arithmetic.EXACT)

    def program(self) -> QuadraticProgram:
        spec = self.spec
        if spec.expressions is not None:
            return self._with_losses(spec.expressions(spec.values.get("z")))
        n = self._unknowns()
        P = self._rows("P", n, square=True) if "P" in spec.values else ((Fraction(0),) * n,) * n
        q = self._vector("q", n, ONE) if "q" in spec.values else (Fraction(0),) * n
        G, h = self._constraints("G", "h", n)
        A, b = self._constraints("A", "b", n)
        lower, upper = self._bounds("lb", -1, n), self._bounds("ub", 1, n)
        z = self._names("z", n, "unknown")
        inequality_names = self._names("G", len(h or ()), "row of G", "h")
        equality_names = self._names("A", len(b or ()), "row of A", "b")
        losses, has_one_loss = self._losses(n, len(h or ()), len(b or ()))
        self._refuse_shared_names(z, inequality_names, equality_names)
        problems = self.parser.problems
        problems += [with_others(first, len(others)) for first, *others in self.parser.foreign.values()]
        if problems:
            raise InputError(problems)
        assert P is not None
        assert q is not None
        assert G is not None
        assert h is not None
        assert A is not None
        assert b is not None
        return QuadraticProgram(
            P, q, G, h, A, b, lower, upper, z, inequality_names, equality_names, losses, has_one_loss,
            not {"dL_dlambda", "dL_dnu"}.isdisjoint(spec.values), spec.name, spec.source,
            place=self._place("P"),
        )  # fmt: skip

    def _place(self, key: str) -> tuple[str, tuple[int, int] | None] | None:
        """Return the source and the position of a value, if there is one."""
        value = self.spec.values.get(key)
        return None if value is None else (value.source or self.spec.source, value.locate(()))

    def _with_losses(self, program: QuadraticProgram) -> QuadraticProgram:
        """Add what is written beside expressions."""
        losses, has_one_loss = self._losses(len(program.q), len(program.h), len(program.b))
        if self.parser.problems:
            raise InputError(self.parser.problems)
        return program._replace(
            losses=losses,
            has_one_loss=has_one_loss,
            has_multiplier_losses=not {"dL_dlambda", "dL_dnu"}.isdisjoint(self.spec.values),
            name=self.spec.name,
            source=self.spec.source,
        )

    def _unknowns(self) -> int:
        """Return n, by q or P. Raise InputError if neither has a length."""
        for key in ("q", "P"):
            if key in self.spec.values:
                value = self.spec.values[key].value
                if _is_null(value):
                    self.parser.refuse(key, (), f"{key}: expected numbers, got null", "A linear program has no P")
                    continue
                rows = plain(value)
                if isinstance(rows, list) and rows:
                    return len(rows)
                what = "a list of rows" if key == "P" else "a list of numbers"
                self.parser.refuse(key, (), f"{key}: expected {what}, at least one, got {described(rows)}")
        raise InputError(self.parser.problems)

    def _rows(self, key: str, columns: int, *, square: bool = False) -> Rows | None:
        matrix = self.parser.matrix(key)
        if matrix is None:
            return None
        rows: Rows = tuple(matrix)
        width = len(rows[0])
        if width != columns or (square and len(rows) != columns):
            expected = f"{columns}×{columns}" if square else f"{columns} columns, {ONE}"
            self.parser.refuse(key, (), f"{key} is {len(rows)}×{width}; expected {expected}", code="bad-shape")
            return None
        return rows

    def _vector(self, key: str, length: int, owner: str) -> Vector | None:
        found = self.parser.vector(key)
        if found is None:
            return None
        (row,) = found.rows
        if len(row) != length:
            self.parser.refuse(key, (), f"{key} has {count(len(row), 'entry')}; expected {length}, {owner}")
            return None
        return row

    def _constraints(self, key: str, bound: str, n: int) -> tuple[Rows | None, Vector | None]:
        values = self.spec.values
        for one, other in ((key, bound), (bound, key)):
            if one in values and other not in values:
                self.parser.refuse(one, (), f"{one}: expected {other} beside it, got none")
                return None, None
        if key not in values or _is_empty(values[key].value):
            if key in values and not _is_empty(values[bound].value):
                self.parser.refuse(bound, (), f"{bound}: expected no entry, for {key} has no row")
            return (), ()
        rows = self._rows(key, n)
        return rows, None if rows is None else self._vector(bound, len(rows), f"one for each row of {key}")

    def _bounds(self, key: str, side: int, n: int) -> tuple[Fraction | None, ...]:
        """Return the bounds on the unknowns; null, and infinity on the side of ``key``, for none."""
        if key not in self.spec.values:
            return (None,) * n
        written = self.spec.values[key]
        entries, stands_for_all = plain(written.value), False
        if not isinstance(entries, list):
            entries, stands_for_all = [entries] * n, True
        if len(entries) != n:
            self.parser.refuse(key, (), f"{key} has {count(len(entries), 'entry')}; expected {n}, {ONE}")
            return (None,) * n
        present = [j for j, entry in enumerate(entries) if not self._is_absent(key, j, entry, side)]

        def locate(path: Path) -> tuple[int, int] | None:
            return written.locate((present[path[0]],) if path and not stands_for_all else ())

        kept = [entries[j] for j in present]
        self.spec.values[key] = written._replace(value=kept, locate=locate, span=None)
        found = self.parser.vector(key) if kept else None
        by_unknown = dict(zip(present, found.rows[0], strict=True)) if found is not None else {}
        return tuple(by_unknown.get(j) for j in range(n))

    def _is_absent(self, key: str, j: int, entry: object, side: int) -> bool:
        """Return whether an entry is no bound. Report nan, and infinity on the wrong side."""
        if entry is None or (isinstance(entry, str) and entry in NULLS):
            return True
        text = str(entry).lower() if isinstance(entry, str | float) else ""
        if (isinstance(entry, float) and isnan(entry)) or text in ("nan", ".nan"):
            self.parser.refuse(key, (j,), f"{key}[{j + 1}]: expected a number or null, got nan", code="bad-number")
            return True
        sign = (1 if entry > 0 else -1) if isinstance(entry, float) and isinf(entry) else INFINITIES.get(text, 0)
        if sign == -side:
            message = f"{key}[{j + 1}]: expected a number, null or {'-' * (side < 0)}inf, got {text}"
            hint = "No point satisfies that bound"
            self.parser.refuse(key, (j,), message, hint, "bad-number")
        return sign != 0

    def _names(self, of: str, expected: int, owner: str, default: str | None = None) -> tuple[str, ...]:
        key = f"names.{of}"
        if key not in self.spec.values:
            return numbered(default or of, expected)
        self.parser.names(key, expected, owner)
        written = self.spec.values[key].value
        return tuple(name for name in written if isinstance(name, str)) if isinstance(written, list) else ()

    def _refuse_shared_names(self, *groups: tuple[str, ...]) -> None:
        """Report a name that stands for an unknown and a constraint, or for constraints of both kinds."""
        seen: set[str] = set()
        for group in groups:
            for name in sorted(seen.intersection(group)):
                hint = "Each name can stand for one only"
                problem = Problem(f"names: {quoted(name)} stands for two", hint, "bad-name", self.spec.source)
                self.parser.problems.append(problem)
            seen.update(group)

    def _losses(self, n: int, m: int, p: int) -> tuple[tuple[Loss, ...], bool]:
        """Return the gradients of each loss, and whether they are written as one vector."""
        sizes = {"dL_dz": (n, ONE), "dL_dlambda": (m, "one for each row of G"), "dL_dnu": (p, "one for each row of A")}
        found: dict[str, Rows] = {}
        flat: set[bool] = set()
        for key, (length, owner) in sizes.items():
            if key not in self.spec.values:
                continue
            value = plain(self.spec.values[key].value)
            is_flat = not (isinstance(value, list) and any(isinstance(row, list) for row in value))
            row = self._vector(key, length, owner) if is_flat else None
            rows = ((row,) if row is not None else None) if is_flat else self._rows(key, length)
            flat.add(is_flat)
            if rows is not None:
                found[key] = rows
        counts = {len(rows) for rows in found.values()}
        if len(counts) > 1 or len(flat) > 1:
            keys = " and ".join(key for key in sizes if key in self.spec.values)
            message = f"{keys}: expected as many rows, one for each loss"
            self.parser.problems.append(Problem(message, None, "bad-shape", self.spec.source))
        if not counts or self.parser.problems:
            return (), True
        K = counts.pop()

        def of(key: str, k: int) -> Vector:
            return found[key][k] if key in found else (Fraction(0),) * sizes[key][0]

        return tuple(Loss(of("dL_dz", k), of("dL_dlambda", k), of("dL_dnu", k)) for k in range(K)), flat == {True}


def _is_empty(value: object) -> bool:
    """Return whether a matrix or vector has no entry: [], or an array of shape (0, n)."""
    size = getattr(value, "size", None)
    return size == 0 if isinstance(size, int) else isinstance(value, list) and not value


def program_of(values: Mapping[str, object], names: Mapping[str, Sequence[str]], name: str) -> QuadraticProgram:
    """Build a program from Python values by the keys of a file; None is not given. Raise InputError."""
    given = {key: SourceValue(as_lists(value)) for key, value in values.items() if value is not None}
    given |= {f"names.{key}": SourceValue(list(value)) for key, value in names.items()}
    return build_program(ProgramSpec("<python>", given, name))


def as_lists(value: object) -> object:
    """Return nested lists for sequences and arrays, also for objects that only numpy.asarray can convert."""
    if (
        not isinstance(value, str | list | tuple | Number)
        and not hasattr(value, "tolist")
        and hasattr(value, "__array__")
    ):
        value = value.__array__()
    return plain(value)
