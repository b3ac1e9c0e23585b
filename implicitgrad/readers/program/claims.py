"""Build ProgramClaims from ``expect`` or Python values, and check them against the program that they are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from implicitgrad.model.claims import ClaimedMatrix
from implicitgrad.model.program.claims import ClaimedPart, ClaimedQuantity, ProgramClaims, Side
from implicitgrad.model.program.problem import QuadraticProgram
from implicitgrad.model.program.solution import Missing, ProgramSolution, ProgramStatus
from implicitgrad.model.program.spec import ONE_SIDED, PROGRAM_CLAIMS
from implicitgrad.model.spec import REQUIREMENTS, Path, SourceValue
from implicitgrad.numbers.values import described, plain
from implicitgrad.readers.claims.base import ClaimReader
from implicitgrad.readers.claims.matrix import NOT_DETERMINED, Shape, read_entry, read_numbers
from implicitgrad.text.characters import count, quoted
from implicitgrad.text.errors import InputError
from implicitgrad.text.hints import nearest

SCALARS = ("status", "active", "tolerance")
OF_LINEAR_SYSTEMS = {
    "dy_dx": "dz_dq, dz_dh and dz_db",
    "condition": "none of the condition number",
}
"""Claims of linear systems that options make, and those of programs in their place."""


class QuantityShape(NamedTuple):
    """The shape of a claimed quantity."""

    rows: int
    rows_are: str
    columns: int
    columns_are: str
    matrices: int | None = None
    """The number of losses, if each has a matrix of its own."""


def shape_of(key: str, program: QuadraticProgram) -> QuantityShape:
    """Return the shape of a quantity by its key, such as dL_dh."""
    n, m, p, K = program.unknowns, len(program.h), len(program.b), len(program.losses)
    unknowns, G, A, losses = "one for each unknown", "one for each row of G", "one for each row of A", "one a loss"
    sizes = {
        "q": (n, unknowns),
        "h": (m, G),
        "b": (p, A),
        "lb": (n, unknowns),
        "ub": (n, unknowns),
        "x": (len(program.letters or ()), "one for each input"),
    }
    vectors = {
        "objective": (1, "one number"),
        "z": sizes["q"],
        "lambda": sizes["h"],
        "nu": sizes["b"],
        "lambda_lb": sizes["q"],
        "lambda_ub": sizes["q"],
    }
    if key in vectors:
        return QuantityShape(1, "one vector", *vectors[key])
    of, _, parameter = key.partition("_d")
    if parameter in "PGA":
        rows = {"P": (n, unknowns), "G": (m, G), "A": (p, A)}[parameter]
        return QuantityShape(*rows, n, unknowns, K)
    return QuantityShape(*((n, unknowns) if of == "dz" else (K, losses)), *sizes[parameter])


def build_program_claims(parts: Mapping[str, SourceValue], solution: ProgramSolution) -> ProgramClaims:
    """Build the claims about a program. Raise InputError with every problem found."""
    reader = _ProgramClaimReader(parts, solution)
    claims = reader.claims()
    if reader.problems:
        raise InputError(reader.problems)
    return claims


class _ProgramClaimReader(ClaimReader):
    def __init__(self, parts: Mapping[str, SourceValue], solution: ProgramSolution) -> None:
        super().__init__(parts, solution.program.source)
        self.solution, self.program = solution, solution.program

    def refuse(self, key: str, path: Path, message: str, hint: str | None = None, code: str = "bad-claim") -> None:
        """Report a problem at a path, or at the last list or mapping on it."""
        super().refuse(key, _existing(self.parts[key].value, path), message, hint, code)

    def claims(self) -> ProgramClaims:
        """Return the claims, without those that were refused."""
        self.check_mapping("tolerance", ("rtol", "atol"), "{rtol: 1e-6}")
        for key, instead in OF_LINEAR_SYSTEMS.items():
            if key == "dy_dx" and self.program.letters is not None:
                instead = "dz_dx"
            for name in (key, f"{key}.max"):
                if name in self.parts:
                    self.refuse(name, (), f"{key} is claimed of linear systems; expected {instead} for a program")
        status = self.status(ProgramStatus, REQUIREMENTS)
        if "dL_dx_unique" in self.parts:
            status = "unique-dL_dx"
        quantities = [self._quantity(key) for key in PROGRAM_CLAIMS if key in self.parts and key not in SCALARS]
        return ProgramClaims(
            status,
            self._active(),
            tuple(quantity for quantity in quantities if quantity is not None),
            self.tolerance("rtol"),
            self.tolerance("atol"),
            {key: part.caveat for key, part in self.parts.items() if part.caveat},
            self._places(),
        )

    def _places(self) -> dict[str, Any]:
        places = self.places_of((*PROGRAM_CLAIMS, "dL_dx_unique"))
        return places | ({"status": places["dL_dx_unique"]} if "dL_dx_unique" in places else {})

    def _active(self) -> tuple[str, ...] | None:
        if "active" not in self.parts:
            return None
        value = plain(self.parts["active"].value)
        value = [value] if isinstance(value, str) and value not in NOT_DETERMINED else value
        if not isinstance(value, list):
            message = f"active: expected a list of constraints, [] for none, got {described(value)}"
            self.refuse("active", (), message)
            return None
        known = [row.name for row in self.solution.inequalities]
        names = self.names("active", value)
        for i, name in enumerate(names):
            if name not in known:
                expected = f"one of {', '.join(known)}" if known else "none, for there is no inequality"
                message = f"active[{i + 1}]: expected {expected}, got {quoted(name)}"
                hint = "Equalities are always active" if name in self.program.equality_names else nearest(name, known)
                self.refuse("active", (i,), message, hint, "bad-name")
        return names

    def _quantity(self, key: str) -> ClaimedQuantity | None:
        part = self.parts[key]
        if key.endswith("_dx") and self.program.letters is None:
            parameters = "dL_dq, dL_dh, ..." if key == "dL_dx" else "dz_dq, dz_dh, ..."
            self.refuse(key, (), f"{key} is claimed of a program in letters; expected {parameters} for this one")
            return None
        if key.startswith("dL_") and not self.program.losses:
            self.refuse(key, (), f"{key} needs dL_dz, and there is none")
            return None
        if _is_null(part.value):
            return ClaimedQuantity(key, (), is_null=True)
        if isinstance(part.value, Mapping):
            return self._from_both_sides(key, part.value)
        parts = self._parts(key, None, part)
        return None if parts is None else ClaimedQuantity(key, parts)

    def _from_both_sides(self, key: str, value: Mapping[str, object]) -> ClaimedQuantity | None:
        """Return a quantity claimed as {left: …, right: …}."""
        if not self._are_sides(key, (), value):
            return None
        if key not in ONE_SIDED:
            message = f"{key}: expected numbers, got {{{', '.join(value)}}}"
            self.refuse(key, (), message, "Derivatives in q, h, lb, ub, b and letters can be claimed from one side")
            return None
        found: list[ClaimedPart] = []
        for side in filter(value.__contains__, Side):
            parts = self._parts(f"{key}.{side}", side, self.parts[f"{key}.{side}"])
            if parts is None:
                return None
            found += parts
        return ClaimedQuantity(key, tuple(found))

    def _are_sides(self, key: str, path: Path, value: Mapping[str, object]) -> bool:
        """Report a mapping that is not of left and right."""
        stray = [name for name in value if name not in list(Side)]
        here = key + "".join(f"[{index + 1}]" for index in path)
        if stray or not value:
            found = quoted(str(stray[0])) if stray else "nothing"
            message = f"{here}: expected numbers, or left and right with one-sided derivatives, got {found}"
            self.refuse(key, path, message, "Such as {left: 1, right: 0}", "bad-key")
            return False
        return True

    def _parts(self, key: str, side: Side | None, part: SourceValue) -> tuple[ClaimedPart, ...] | None:
        """Return what is claimed under a key, z or dL_dh.left; None if something was refused."""
        shape = shape_of(key.partition(".")[0], self.program)
        value: Any = plain(part.value) if hasattr(part.value, "dtype") else part.value
        if not isinstance(value, list):
            if shape.rows == shape.columns == 1 and shape.matrices is None:
                value = [value]
            elif side is not None and (_is_null(value) or _missing(value) is not None):
                row = [value] * shape.columns
                value = row if shape.rows == 1 else [row] * shape.rows
        if shape.matrices is None or self.program.has_one_loss:
            return self._of_loss(key, key, side, 0, part._replace(value=value), shape)
        if not isinstance(value, list) or len(value) != shape.matrices:
            found = f"has {count(len(value), 'entry')}" if isinstance(value, list) else f"is {described(value)}"
            self.refuse(key, (), f"{key} {found}; expected {shape.matrices} matrices, one for each loss")
            return None
        found_parts: list[ClaimedPart] = []
        for k, matrix in enumerate(value):
            parts = self._of_loss(key, f"{key}[{k + 1}]", side, k, part._replace(value=matrix), shape, (k,))
            if parts is None:
                return None
            found_parts += parts
        return tuple(found_parts)

    def _of_loss(
        self,
        key: str,
        name: str,
        side: Side | None,
        loss: int,
        part: SourceValue,
        shape: QuantityShape,
        above: Path = (),
    ) -> tuple[ClaimedPart, ...] | None:
        """Return the claims about one vector or matrix, which may have entries claimed from one side.

        above : the path of the value under the key.
        """
        if not shape.rows or not shape.columns:
            return self._of_nothing(key, name, part, shape)
        is_mixed = side is None and _has_mapping(part.value)
        if is_mixed and not self._has_sound_sides(key, part.value, above):
            return None
        needed = Shape(shape.rows, shape.rows_are, (shape.columns,), shape.columns_are)
        parts = []
        for one in (None, *Side) if is_mixed else (side,):
            seen = _Seen(one)
            value = part.value
            if is_mixed:
                value = seen.of(value, ())
            elif side is not None:
                value = seen.side_of(value, ())
            matrix = self._numbers(key, name, above, part._replace(value=value), needed)
            if matrix is None:
                return None
            unclaimed = frozenset(_position(path, matrix) for path in seen.unclaimed)
            missing = {_position(path, matrix): reason for path, reason in seen.missing.items()}
            parts.append(ClaimedPart(one, loss, matrix, unclaimed, missing))
        return tuple(parts)

    def _numbers(self, key: str, name: str, above: Path, part: SourceValue, shape: Shape) -> ClaimedMatrix | None:
        def refuse(path: Path, message: str, hint: str | None, code: str) -> None:
            self.refuse(key, (*above, *path), message, hint, code)

        def locate(path: Path) -> tuple[int, int] | None:
            return self.parts[key].locate(_existing(self.parts[key].value, (*above, *path)))

        return read_numbers(name, part._replace(locate=locate), shape, refuse, read_entry)

    def _of_nothing(
        self, key: str, name: str, part: SourceValue, shape: QuantityShape
    ) -> tuple[ClaimedPart, ...] | None:
        """Accept [] or empty rows for a quantity without entries."""
        value = plain(part.value)
        rows = value if isinstance(value, list) else [value]
        if any(row != [] for row in rows):
            size = f"{shape.rows}×{shape.columns}" if shape.rows != 1 else "no entry"
            self.refuse(key, (), f"{name}: expected {size}, got {described(value)}", "Write it as []")
            return None
        return ()

    def _has_sound_sides(self, key: str, value: object, path: Path) -> bool:
        if isinstance(value, Mapping):
            return self._are_sides(key, path, value)
        if isinstance(value, list):
            return all(self._has_sound_sides(key, item, (*path, i)) for i, item in enumerate(value))
        return True


class _Seen:
    """The numbers that are claimed of one side, or of both together, with null wherever there is none."""

    def __init__(self, side: Side | None) -> None:
        self.side = side
        self.unclaimed: list[Path] = []
        self.missing: dict[Path, Missing] = {}

    def of(self, value: object, path: Path) -> object:
        """Return a value in which mappings stand for entries or rows claimed from one side."""
        if isinstance(value, Mapping):
            if self.side is not None and self.side in value:
                return self.side_of(value[self.side], path)
            return self._nothing(next(iter(value.values())), path)
        if isinstance(value, list):
            return [self.of(item, (*path, i)) for i, item in enumerate(value)]
        return value if self.side is None else self._nothing(value, path)

    def side_of(self, value: object, path: Path) -> object:
        """Return a value claimed of a side, whose entries may be the reasons why there is none."""
        value = plain(value)
        if isinstance(value, list):
            return [self.side_of(item, (*path, i)) for i, item in enumerate(value)]
        reason = _missing(value)
        if reason is None:
            return value
        self.missing[path] = reason
        return NOT_DETERMINED[0]

    def _nothing(self, value: object, path: Path) -> object:
        value = plain(value)
        if isinstance(value, list):
            return [self._nothing(item, (*path, i)) for i, item in enumerate(value)]
        self.unclaimed.append(path)
        return NOT_DETERMINED[0]


def _missing(value: object) -> Missing | None:
    return Missing(value) if isinstance(value, str) and value in list(Missing) else None


def _is_null(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.lower() in NOT_DETERMINED)


def _has_mapping(value: object) -> bool:
    if isinstance(value, list):
        return any(map(_has_mapping, value))
    return isinstance(value, Mapping)


def _position(path: Path, matrix: ClaimedMatrix) -> tuple[int, int]:
    if not matrix.is_flat:
        return path[0], path[1]
    return (0, path[0]) if len(matrix.entries) == 1 else (path[0], 0)


def _existing(value: object, path: Path) -> Path:
    """Return the part of a path that leads to lists: what is inside of a mapping has no place of its own."""
    for depth, index in enumerate(path):
        if not isinstance(value, list) or index >= len(value):
            return path[:depth]
        value = value[index]
    return path
