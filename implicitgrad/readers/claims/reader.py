"""Build Claims from ``expect`` or options, and check them against the system that they are about."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from implicitgrad.model.claims import ClaimedConstraints, ClaimedMatrix, ClaimedNumber, Claims
from implicitgrad.model.site import is_from_python
from implicitgrad.model.solution import Solution
from implicitgrad.model.spec import CLAIMS, REQUIREMENTS, Path, SourceValue
from implicitgrad.model.system import Arithmetic, Status
from implicitgrad.numbers.values import described, plain
from implicitgrad.readers.claims.base import ClaimReader
from implicitgrad.readers.claims.matrix import (
    BAD,
    NOT_DETERMINED,
    Read,
    Shape,
    read_entry,
    read_expression,
    read_numbers,
)
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import InputError

PARTS = {"condition": ("max",), "tolerance": ("rtol", "atol"), "constraints": ("dependent", "matrix")}
"""The keys of claims that are mappings."""
EXAMPLES = {
    "condition": "{max: 100}",
    "tolerance": "{rtol: 1e-6}",
    "constraints": "{dependent: [x2], matrix: [[2]]}, or null for none",
}


def build_claims(parts: Mapping[str, SourceValue], solution: Solution) -> Claims:
    """Build the claims about ``solution``'s system. Raises InputError with every problem found."""
    return _Builder(parts, solution).build()


class _Builder(ClaimReader):
    """A builder of Claims that collects problems."""

    def __init__(self, parts: Mapping[str, SourceValue], solution: Solution) -> None:
        super().__init__(parts, solution.system.source)
        self.solution, self.system = solution, solution.system

    def build(self) -> Claims:
        self._check_mappings()
        claims = Claims(
            status=self._status(),
            rank=self.number("rank"),
            dy_dx=self._jacobian(),
            dL_dx=self._gradient(),
            dL_dA=self._coefficients("dL_dA", self.system.unknowns, "one for each unknown y"),
            dL_dB=self._coefficients("dL_dB", self.system.inputs, "one for each input x"),
            free_parameters=self._free_parameters(),
            dL_dx_unique=self._truth("dL_dx_unique"),
            constraints=self._constraints(),
            condition=self.number("condition.max"),
            rtol=self.tolerance("rtol"),
            atol=self.tolerance("atol"),
            caveats={key: part.caveat for key, part in self.parts.items() if part.caveat},
            places=self.places_of(CLAIMS),
        )
        if self.problems:
            raise InputError(self.problems)
        return claims

    def _check_mappings(self) -> None:
        for key, known in PARTS.items():
            if key == "constraints" and key in self.parts and self.parts[key].value in NOT_DETERMINED:
                continue
            self.check_mapping(key, known, EXAMPLES[key])

    def _status(self) -> Status | str | None:
        claimed = self.status(Status, REQUIREMENTS)
        return Status(claimed) if claimed in list(Status) else claimed

    def _truth(self, key: str) -> bool | None:
        if key not in self.parts:
            return None
        value = self.parts[key].value
        if self.system.dL_dy is None:
            self.refuse(key, (), f"{key} needs dL_dy, and there is none", self._where_to_give())
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        self.refuse(key, (), f"{key}: expected true or false, got {described(value)}")
        return None

    def _where_to_give(self, option: str = "-g", argument: str = "dL_dy") -> str:
        is_own = is_from_python(self.system.source)
        return f"Give it as {argument}=" if is_own else f"Give it in the file or with {option}"

    def _free_parameters(self) -> ClaimedNumber | tuple[str, ...] | None:
        key = "free_parameters"
        if key not in self.parts or not isinstance(self.parts[key].value, list):
            return self.number(key, "Their number, or a list of their names, [dy1/dx1]")
        value = self.parts[key].value
        assert isinstance(value, list)
        if self.system.is_sparse:
            self.refuse(key, (), f"{key}: expected their number, 0, of a large sparse system")
            return None
        known = {f"d{y}/d{x}" for y in self.system.y for x in self.system.x}
        names = self.names(key, [_with_d(name, known) if isinstance(name, str) else name for name in value])
        for i, name in enumerate(names):
            if name not in known:
                example = f"d{self.system.y[0]}/d{self.system.x[0]}"
                message = f"{key}[{i + 1}]: expected an entry of ∂y/∂x such as {example}, got {quoted(name)}"
                self.refuse(key, (i,), message, code="bad-name")
        return names

    def _jacobian(self) -> ClaimedMatrix | None:
        N = len(self.system.y)
        if "dy_dx" in self.parts and self.system.is_sparse and self.solution.is_gradient_alone:
            message = "dy_dx: ∂y/∂x of a large sparse system is not computed whole"
            self.refuse("dy_dx", (), message, "--show NAMES says which rows and columns the claim has", BAD)
            return None
        return self._numbers("dy_dx", Shape(N, "one for each unknown y", self._widths(), "one for each input x"))

    def _gradient(self) -> ClaimedMatrix | None:
        if "dL_dx" in self.parts and self.system.dL_dy is None:
            self.refuse("dL_dx", (), "dL_dx needs dL_dy, and there is none", self._where_to_give())
            return None
        K = len(self.system.dL_dy or ())
        return self._numbers(
            "dL_dx", Shape(K, "one for each loss", self._widths(), "one for each input x", is_vector=True)
        )

    def _coefficients(self, key: str, width: int, columns_are: str) -> ClaimedMatrix | None:
        """Return a claimed ∂L/∂A or ∂L/∂B: a matrix for each loss, in a list or one below the other."""
        if key not in self.parts:
            return None
        if self.system.dL_dy is None or self.system.x_value is None:
            lacking = "dL_dy" if self.system.dL_dy is None else "the value of x"
            hint = self._where_to_give() if self.system.dL_dy is None else self._where_to_give("--at", "at")
            self.refuse(key, (), f"{key} needs {lacking}, and there is none", hint)
            return None
        M, K = self.system.equations, len(self.system.dL_dy)
        part = self.parts[key]
        value: Any = plain(part.value) if hasattr(part.value, "dtype") else part.value
        rows_are = "one for each equation" if K == 1 else "one for each loss and equation"
        shape = Shape(M * K, rows_are, (width,), columns_are)
        is_list = isinstance(value, list) and all(isinstance(rows, list) and len(rows) == M for rows in value)
        if not (is_list and all(isinstance(row, list) for rows in value for row in rows)):
            return self._numbers(key, shape)

        def one_of_several(path: Path) -> Path:
            return (path[0] // M, path[0] % M, *path[1:]) if path else ()

        def refuse(path: Path, message: str, hint: str | None, code: str) -> None:
            self.refuse(key, one_of_several(path), message, hint, code)

        stacked = part._replace(
            value=[row for rows in value for row in rows], locate=lambda path: part.locate(one_of_several(path))
        )
        return read_numbers(key, stacked, shape, refuse, self._read(), M)

    def _widths(self) -> tuple[int, ...]:
        """Return the numbers of columns that an answer may have: all inputs, or the independent ones."""
        P, free = len(self.system.x), len(self.solution.independent)
        return (P,) if free in (0, P) else (P, free)

    def _constraints(self) -> ClaimedConstraints | None:
        key = "constraints"
        if key not in self.parts or not isinstance(self.parts[key].value, Mapping):
            return ClaimedConstraints((), None) if key in self.parts else None
        given = [name for name in PARTS[key] if f"{key}.{name}" in self.parts]
        if len(given) < len(PARTS[key]):
            message = f"{key}: expected dependent and matrix, got {' and '.join(given) or 'neither'}"
            self.refuse(key, (), message)
            return None
        value = self.parts[f"{key}.dependent"].value
        if not isinstance(value, list) or not value:
            found = described(value) if not isinstance(value, list) else "an empty list"
            self.refuse(f"{key}.dependent", (), f"{key}.dependent: expected names of inputs, got {found}")
            return None
        dependent = self.names(f"{key}.dependent", value)
        for i, name in enumerate(dependent):
            if name not in self.system.x:
                message = f"{key}.dependent[{i + 1}]: expected one of {', '.join(self.system.x)}, got {quoted(name)}"
                self.refuse(f"{key}.dependent", (i,), message, code="bad-name")
        width = self.system.inputs - len(value)
        shape = Shape(len(value), "one for each dependent", (width,), "one for each other x")
        matrix = self._numbers(f"{key}.matrix", shape)
        return None if matrix is None else ClaimedConstraints(dependent, matrix)

    def _numbers(self, key: str, shape: Shape) -> ClaimedMatrix | None:
        if key not in self.parts:
            return None
        return read_numbers(key, self.parts[key], shape, partial(self.refuse, key), self._read())

    def _read(self) -> Read:
        """Return the reader of an entry."""
        is_symbolic = self.solution.arithmetic is Arithmetic.SYMBOLIC
        if self.system.origin is not None and self.system.origin.point:
            from implicitgrad.readers.claims.at_point import read_at

            return partial(read_at, self.system.origin, is_symbolic=is_symbolic)
        return read_expression if is_symbolic else read_entry


def _with_d(name: str, known: set[str]) -> str:
    """Return dy/dx for ∂y/∂x, for any names y and x; other names unchanged."""
    above = f"d{name[1:]}" if name.startswith("∂") else name
    parts = above.split("/∂")
    spellings = [f"{'/∂'.join(parts[:i])}/d{'/∂'.join(parts[i:])}" for i in range(1, len(parts))]
    return next((spelling for spelling in (name, above, *spellings) if spelling in known), name)
