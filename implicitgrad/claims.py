"""Claims: what somebody says of a system's answer, in their own digits.

build_claims() checks what is written, under ``expect`` or in options, against the system that it is said of.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.characters import count, quoted
from implicitgrad.draft import CLAIMS, Part, Path, as_fraction, described
from implicitgrad.errors import MOST_PROBLEMS_SHOWN, InputError, Problem
from implicitgrad.rational import NumberError, last_place, parse_number
from implicitgrad.solution import PartialMatrix, Solution, Status
from implicitgrad.system import Matrix

DOUBLE = Fraction(1, 2**53)
"""The unit roundoff of a double."""
DIGITS_OF_DOUBLES = (16, 17)
"""So many significant digits has the shortest text of a double that no shorter decimal stands for."""
NOT_DETERMINED = ("null", "~")
LONGEST_SUMMARY = 24
PARTS = {"condition": ("max",), "tolerance": ("rtol", "atol"), "constraints": ("dependent", "matrix")}
"""The keys of the claims that are mappings."""


class Place(NamedTuple):
    """Where a claim is written."""

    source: str | None
    line: int | None = None
    column: int | None = None


class Numbers(NamedTuple):
    """A claimed matrix, as written and as numbers."""

    key: str
    entries: PartialMatrix
    """None: claimed not to be determined."""
    texts: tuple[tuple[str, ...], ...]
    roundings: Matrix
    """Half a unit of each decimal's last place; 0 for integers and fractions."""
    unit_roundoff: Fraction | None
    """Of the floating-point type the numbers were computed in; None where they were written by hand."""
    is_flat: bool
    """Written as one list."""

    def summary(self) -> str:
        """The matrix as an option would have it, 1 2; 3 4, or its size where that is long."""
        text = "; ".join(" ".join(row) for row in self.texts)
        return text if len(text) <= LONGEST_SUMMARY else f"{len(self.texts)}×{len(self.texts[0])}"

    def name(self, i: int, j: int) -> str:
        """What the entry in row i and column j, 0-based, is called: dL_dx[2], dy_dx[1][2]."""
        return f"{self.key}[{i + j + 1}]" if self.is_flat else f"{self.key}[{i + 1}][{j + 1}]"


class ClaimedConstraints(NamedTuple):
    """x_dependent = matrix · the other inputs in their order."""

    dependent: tuple[str, ...]
    """None of them: every x is possible."""
    matrix: Numbers | None


class Claims(NamedTuple):
    """What is claimed; None where nothing is."""

    status: Status | None = None
    rank: Fraction | None = None
    dy_dx: Numbers | None = None
    dL_dx: Numbers | None = None
    free_parameters: Fraction | tuple[str, ...] | None = None
    """Their number, or their names."""
    dL_dx_unique: bool | None = None
    constraints: ClaimedConstraints | None = None
    condition: Fraction | None = None
    """The largest that is allowed."""
    rtol: Fraction | None = None
    atol: Fraction | None = None
    places: Mapping[str, Place] = {}
    """Where each claim is written, in the order of CLAIMS."""


def build_claims(parts: Mapping[str, Part], solution: Solution) -> Claims:
    """What ``parts`` claim of ``solution``'s system. Raises InputError with every problem found."""
    return _Builder(parts, solution).build()


class _Builder:
    """What has been understood so far, and what is wrong with the rest."""

    def __init__(self, parts: Mapping[str, Part], solution: Solution) -> None:
        self.parts, self.solution, self.system = parts, solution, solution.system
        self.problems: list[Problem] = []

    def build(self) -> Claims:
        self._check_mappings()
        claims = Claims(
            status=self._status(),
            rank=self._number("rank"),
            dy_dx=self._jacobian(),
            dL_dx=self._gradient(),
            free_parameters=self._free_parameters(),
            dL_dx_unique=self._truth("dL_dx_unique"),
            constraints=self._constraints(),
            condition=self._number("condition.max"),
            rtol=self._tolerance("rtol"),
            atol=self._tolerance("atol"),
            places=self._places(),
        )
        if self.problems:
            raise InputError(self.problems)
        return claims

    def _places(self) -> dict[str, Place]:
        places = {}
        for key in CLAIMS:
            part = self.parts.get(key) or (self.parts.get("condition.max") if key == "condition" else None)
            if part is not None and key != "tolerance":
                places[key] = Place(part.source, *(part.key or ()))
        return places

    def _refuse(self, key: str, path: Path, message: str, hint: str | None = None, code: str = "bad-claim") -> None:
        part = self.parts[key]
        position = part.locate(path) if len(self.problems) < MOST_PROBLEMS_SHOWN else None
        prefix = "" if part.key is None else "expect."
        self.problems.append(Problem(prefix + message, hint, code).at(part.source or self.system.source, position))

    def _check_mappings(self) -> None:
        for key, known in PARTS.items():
            value = self.parts[key].value if key in self.parts else None
            if isinstance(value, dict):
                for name in value:
                    if name not in known:
                        found = f"{key}: unknown key {quoted(str(name))}; expected {' and '.join(known)}"
                        self._refuse(f"{key}.{name}", (), found, code="bad-key")
            elif key in self.parts and not (key == "constraints" and value in NOT_DETERMINED):
                example = {"condition": "{max: 100}", "tolerance": "{rtol: 1e-6}"}.get(key)
                expected = example or "{dependent: [x2], matrix: [[2]]}, or null for none"
                self._refuse(key, (), f"{key}: expected {expected}, got {described(value)}")

    def _status(self) -> Status | None:
        if "status" not in self.parts:
            return None
        value = self.parts["status"].value
        if value in list(Status):
            return Status(str(value))
        self._refuse("status", (), f"status: expected one of {', '.join(Status)}, got {described(value)}")
        return None

    def _truth(self, key: str) -> bool | None:
        if key not in self.parts:
            return None
        value = self.parts[key].value
        if self.system.dL_dy is None:
            self._refuse(key, (), f"{key} needs dL_dy, and there is none", "Give it in the file or with -g")
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        self._refuse(key, (), f"{key}: expected true or false, got {described(value)}")
        return None

    def _number(self, key: str) -> Fraction | None:
        """A single number, such as a rank; any number is a claim, if only a wrong one."""
        if key not in self.parts:
            return None
        value = self.parts[key].value
        try:
            return parse_number(value) if isinstance(value, str) else as_fraction(value)
        except NumberError as error:
            self._refuse(key, (), f"{key}: {error.problem.message}", error.problem.hint, "bad-number")
            return None

    def _tolerance(self, name: str) -> Fraction | None:
        key = f"tolerance.{name}"
        value = self._number(key)
        if value is not None and value < 0:
            self._refuse(key, (), f"{key}: expected a number of 0 or more, got {described(self.parts[key].value)}")
        return value

    def _free_parameters(self) -> Fraction | tuple[str, ...] | None:
        key = "free_parameters"
        if key not in self.parts or not isinstance(self.parts[key].value, list):
            return self._number(key)
        value = self.parts[key].value
        assert isinstance(value, list)
        names = self._names(key, value)
        known = {f"d{y}/d{x}" for y in self.system.y for x in self.system.x}
        for i, name in enumerate(names):
            if name not in known:
                example = f"d{self.system.y[0]}/d{self.system.x[0]}"
                message = f"{key}[{i + 1}]: expected an entry of ∂y/∂x such as {example}, got {quoted(name)}"
                self._refuse(key, (i,), message, code="bad-name")
        return names

    def _names(self, key: str, value: list[object]) -> tuple[str, ...]:
        names: list[str] = []
        for i, name in enumerate(value):
            here = f"{key}[{i + 1}]"
            if not isinstance(name, str):
                self._refuse(key, (i,), f"{here}: expected a name, got {described(name)}", code="bad-name")
            elif name.replace("∂", "d") in names:
                self._refuse(key, (i,), f"{here}: duplicate name {quoted(name)}", code="bad-name")
            else:
                names.append(name.replace("∂", "d") if key == "free_parameters" else name)
        return tuple(names)

    def _jacobian(self) -> Numbers | None:
        N = self.system.unknowns
        return self._numbers("dy_dx", N, "one for each unknown y", self._widths(), "one for each input x")

    def _gradient(self) -> Numbers | None:
        if "dL_dx" in self.parts and self.system.dL_dy is None:
            self._refuse("dL_dx", (), "dL_dx needs dL_dy, and there is none", "Give it in the file or with -g")
            return None
        K = len(self.system.dL_dy or ())
        return self._numbers("dL_dx", K, "one for each loss", self._widths(), "one for each input x")

    def _widths(self) -> tuple[int, ...]:
        """The columns that an answer may have: all inputs, or those that vary independently."""
        P, free = self.system.inputs, len(self.solution.independent)
        return (P,) if free in (0, P) else (P, free)

    def _constraints(self) -> ClaimedConstraints | None:
        key = "constraints"
        if key not in self.parts or not isinstance(self.parts[key].value, dict):
            return ClaimedConstraints((), None) if key in self.parts else None
        given = [name for name in PARTS[key] if f"{key}.{name}" in self.parts]
        if len(given) < len(PARTS[key]):
            message = f"{key}: expected dependent and matrix, got {' and '.join(given) or 'neither'}"
            self._refuse(key, (), message)
            return None
        value = self.parts[f"{key}.dependent"].value
        if not isinstance(value, list) or not value:
            found = described(value) if not isinstance(value, list) else "an empty list"
            self._refuse(f"{key}.dependent", (), f"{key}.dependent: expected names of inputs, got {found}")
            return None
        dependent = self._names(f"{key}.dependent", value)
        for i, name in enumerate(dependent):
            if name not in self.system.x:
                message = f"{key}.dependent[{i + 1}]: expected one of {', '.join(self.system.x)}, got {quoted(name)}"
                self._refuse(f"{key}.dependent", (i,), message, code="bad-name")
        width = self.system.inputs - len(value)
        matrix = self._numbers(f"{key}.matrix", len(value), "one for each dependent", (width,), "one for each other x")
        return None if matrix is None else ClaimedConstraints(dependent, matrix)

    def _numbers(
        self, key: str, height: int, rows_are: str, widths: tuple[int, ...], columns_are: str
    ) -> Numbers | None:
        """A matrix of so many rows and one of the widths; a flat list where one row or one column is expected."""
        if key not in self.parts:
            return None
        part = self.parts[key]
        value = part.value
        shape = f"{height}×{' or '.join(map(str, widths))}"
        if not isinstance(value, list):
            self._refuse(key, (), f"{key}: expected a list of numbers ({shape}), got {described(value)}")
            return None
        is_flat = bool(value) and not any(isinstance(row, list) for row in value)
        if is_flat and 1 in widths and len(value) == height:
            rows: list[object] = [[item] for item in value]
        elif is_flat and height == 1:
            rows = [value]
        else:
            rows = value
        before = len(self.problems)
        if is_flat and rows is value:
            self._refuse(key, (), f"{key} has {count(len(value), 'entry')}; expected {height} rows of {widths[0]}")
            return None
        if len(rows) != height:
            hint = None
            if all(isinstance(row, list) and len(row) == height for row in rows) and len(rows) in widths:
                hint = "It has the shape of the transpose"
            self._refuse(key, (), f"{key} has {count(len(rows), 'row')}; expected {height}, {rows_are}", hint)
            return None
        for i, row in enumerate(rows):
            if not isinstance(row, list):
                self._refuse(key, (i,), f"{key}[{i + 1}]: expected a row, got {described(row)}")
            elif len(row) not in widths or len(row) != len(rows[0]):  # type: ignore[arg-type]
                here = key if is_flat else f"{key}[{i + 1}]"
                expected = " or ".join(map(str, widths))
                message = f"{here} has {count(len(row), 'entry')}; expected {expected}, {columns_are}"
                self._refuse(key, () if is_flat else (i,), message)
        if len(self.problems) > before:
            return None
        return self._entries(key, rows, is_flat)

    def _entries(self, key: str, rows: list[object], is_flat: bool) -> Numbers | None:
        before = len(self.problems)
        numbers = Numbers(key, (), (), (), None, is_flat)
        entries, texts, roundings = [], [], []
        unit_roundoff = None
        for i, row in enumerate(rows):
            assert isinstance(row, list)
            values: list[Fraction | None] = []
            units: list[Fraction] = []
            for j, item in enumerate(row):
                try:
                    value, unit, is_computed = _entry(item)
                except NumberError as error:
                    path = (i + j,) if is_flat else (i, j)
                    message = f"{numbers.name(i, j)}: {error.problem.message}"
                    self._refuse(key, path, message, error.problem.hint, "bad-number")
                    continue
                values.append(value)
                units.append(unit)
                if is_computed:
                    unit_roundoff = self.parts[key].unit_roundoff or DOUBLE
            entries.append(tuple(values))
            roundings.append(tuple(units))
            texts.append(tuple(_text(item) for item in row))
        if len(self.problems) > before:
            return None
        return Numbers(key, tuple(entries), tuple(texts), tuple(roundings), unit_roundoff, is_flat)


def _entry(item: object) -> tuple[Fraction | None, Fraction, bool]:
    """An entry's value, half a unit of its last decimal place, and whether it was computed in floating point."""
    if item is None or (isinstance(item, str) and item.lower() in NOT_DETERMINED):
        return None, Fraction(0), False
    if isinstance(item, float):
        return as_fraction(item), Fraction(0), True
    text = str(item) if isinstance(item, Decimal) else item
    if not isinstance(text, str):
        return as_fraction(item), Fraction(0), False
    value = parse_number(text)
    unit = last_place(text)
    if unit is None:
        return value, Fraction(0), False
    return value, unit / 2, len(_significant_digits(text)) in DIGITS_OF_DOUBLES


def _significant_digits(text: str) -> str:
    return "".join(filter(str.isdigit, text.lower().partition("e")[0])).lstrip("0")


def _text(item: object) -> str:
    """An entry as it was written."""
    return "null" if item is None else str(item)
