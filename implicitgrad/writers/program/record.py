"""The JSON record of a ProgramSolution: one object, one line; its keys are public API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

from implicitgrad.model.program.problem import RowKind
from implicitgrad.model.program.solution import (
    Derivatives,
    FarkasCertificate,
    Missing,
    Piece,
    ProgramSolution,
    RayCertificate,
    Slope,
)
from implicitgrad.text.characters import format_fraction
from implicitgrad.writers.record import Json, nearest_double, to_record

Numbers = Callable[[Fraction], Json]
PARAMETERS = ("q", "h", "b", "lb", "ub")


def program_record(solution: ProgramSolution) -> dict[str, Json]:
    """Return the record as plain values: doubles nearest to the exact numbers, and these under ``exact`` as p/q."""
    program = solution.program
    overflows: list[Fraction] = []

    def double(value: Fraction) -> Json:
        found = nearest_double(value)
        if found is None:
            overflows.append(value)
        return found

    numbers = _Writer(solution, double).answers()
    is_exact = solution.error_bound is None
    exact = _Writer(solution, format_fraction).answers() if is_exact else None
    remarks = [*solution.remarks]
    if overflows:
        remarks.append(("double-overflow", "a number is beyond the largest double and null here; 'exact' has it"))
    record: dict[str, Json] = {
        "name": program.name,
        "source": program.source,
        "kind": "program",
        "arithmetic": "exact" if is_exact else "float",
        "status": str(solution.status),
        "shape": {"variables": program.unknowns, "inequalities": len(program.h), "equalities": len(program.b)},
        "names": {"z": program.z, "G": program.inequality_names, "A": program.equality_names},
        **({} if program.letters is None else {"inputs": [one.name for one in program.letters]}),
        "objective": numbers.pop("objective"),
        "z": numbers.pop("z"),
        "z_some": numbers.pop("z_some"),
        "face": numbers.pop("face"),
        "L_unique": None if not solution.face or not program.losses else _one_or_all(solution, solution.unique_losses),
        "active": solution.names(solution.active),
        "strong": solution.names(solution.strong),
        "exchangeable": solution.names(solution.exchangeable),
        "weak": solution.names(solution.weak),
        "multipliers_unique": solution.has_unique_multipliers if solution.z is not None else None,
        "differentiable": None
        if solution.derivatives is None
        else {"q": solution.is_differentiable_in_q, "q,h,b": solution.is_differentiable},
        "L_differentiable": _one_or_all(solution, solution.are_losses_differentiable)
        if solution.are_losses_differentiable
        else None,
        **numbers,
        "kkt": None if solution.kkt is None else to_record(solution.kkt),
        "error_bound": None if solution.z is None else solution.error_bound or 0,
        "warnings": [{"code": code, "message": message} for code, message in remarks],
        "exact": exact,
    }
    return record


def answers_of(solution: ProgramSolution) -> dict[str, Any]:
    """Return the numbers of the record under their keys, as the fractions that they are."""
    return _Writer(solution, lambda value: value).answers()  # type: ignore[arg-type, return-value]


def _one_or_all(solution: ProgramSolution, values: Sequence[Json]) -> Json:
    return values[0] if solution.program.has_one_loss else list(values)


class _Writer:
    """The numbers of an answer, in one spelling."""

    def __init__(self, solution: ProgramSolution, number: Numbers) -> None:
        self.solution, self.program, self.number = solution, solution.program, number

    def answers(self) -> dict[str, Any]:
        """Return the keys whose values are numbers."""
        solution = self.solution
        constraints = solution.constraints
        return {
            "objective": self._maybe(solution.objective),
            "z": self._vector(solution.z) if solution.is_unique and solution.z is not None else None,
            "z_some": self._vector(solution.z) if solution.face and solution.z is not None else None,
            "face": [self._vector(direction) for direction in solution.face],
            **self._multipliers(),
            "lambda_range": {
                solution.inequalities[i].name: [self.number(least), self._maybe(most)]
                for i, (least, most) in solution.ranges.items()
            },
            "dependencies": [
                {name: self.number(factor) for name, factor in dependency.terms} for dependency in solution.dependencies
            ],
            "constraints": None
            if constraints is None
            else {"dependent": constraints.dependent, "matrix": [self._vector(row) for row in constraints.matrix]},
            **self._letters(),
            **self._derivatives(),
            **self._matrix_gradients(),
            "one_sided": {
                name: {"left": self._slope(sides.left), "right": self._slope(sides.right)}
                for derivatives in (solution.by_letter, solution.derivatives)
                if derivatives is not None
                for name, sides in derivatives.one_sided.items()
            },
            "certificate": self._certificate(),
            **self._asked(),
        }

    def _asked(self) -> dict[str, Json]:
        """Return the keys of what is computed only if it is asked for."""
        solution = self.solution
        found: dict[str, Json] = {}
        if solution.pieces is not None and solution.derivatives is not None:
            found["pieces"] = [
                {"active": solution.names(piece.active), **self._by_parameter(piece, solution.derivatives)}
                for piece in solution.pieces
            ]
        if solution.directional is not None:
            direction, slope = solution.directional
            rates = {name: self.number(rate) for name, rate in direction.items()}
            found["directional"] = {"direction": rates, "derivative": self._slope(slope)}
        return found

    def _by_parameter(self, piece: Piece, derivatives: Derivatives) -> dict[str, Json]:
        rows = [self._columns(row, derivatives) for row in piece.z]
        found: dict[str, Json] = {f"dz_d{key}": [self._vector(row[key]) for row in rows] for key in PARAMETERS}
        return found | (self._of_losses(piece.losses, derivatives) if piece.losses else {})

    def _of_losses(self, losses: Sequence[Sequence[Fraction | None]], derivatives: Derivatives) -> dict[str, Json]:
        """Return ∂L/∂ of each kind of parameter, None without losses."""
        rows = [self._columns(row, derivatives) for row in losses]
        return {
            f"dL_d{key}": _one_or_all(self.solution, [self._vector(row[key]) for row in rows]) if rows else None
            for key in PARAMETERS
        }

    def _maybe(self, value: Fraction | None) -> Json:
        return None if value is None else self.number(value)

    def _vector(self, values: Iterable[Fraction | None]) -> list[Json]:
        return [self._maybe(value) for value in values]

    def _by_row(self, values: Sequence[Fraction | None], rest: Fraction | None = Fraction(0)) -> dict[str, Json]:
        """Return values of the inequalities by their kinds; ``rest`` is that of a bound that is absent."""
        found: dict[RowKind, list[Fraction | None]] = {
            RowKind.INEQUALITY: [rest] * len(self.program.h),
            RowKind.LOWER: [rest] * self.program.unknowns,
            RowKind.UPPER: [rest] * self.program.unknowns,
        }
        for row, value in zip(self.solution.inequalities, values, strict=True):
            found[row.kind][row.number] = value
        keys = {RowKind.INEQUALITY: "lambda", RowKind.LOWER: "lambda_lb", RowKind.UPPER: "lambda_ub"}
        return {keys[kind]: self._vector(entries) for kind, entries in found.items()}

    def _multipliers(self) -> dict[str, Json]:
        if self.solution.z is None:
            return dict.fromkeys(("lambda", "lambda_lb", "lambda_ub", "nu"))
        return self._by_row(self.solution.multipliers) | {"nu": self._vector(self.solution.equality_multipliers)}

    def _columns(self, row: Sequence[Fraction | None], derivatives: Derivatives) -> dict[str, list[Fraction | None]]:
        """Return a row over all parameters as rows by key, with 0 for bounds that are absent."""
        n = self.program.unknowns
        sizes = {"q": n, "h": len(self.program.h), "b": len(self.program.b), "lb": n, "ub": n}
        found: dict[str, list[Fraction | None]] = {key: [Fraction(0)] * size for key, size in sizes.items()}
        for parameter, value in zip(derivatives.parameters, row, strict=True):
            found[parameter.key][parameter.number] = value
        return found

    def _letters(self) -> dict[str, Json]:
        """Return the point of a program in letters, and the derivatives in these."""
        letters, found = self.program.letters, self.solution.by_letter
        if letters is None:
            return {}
        losses = None if found is None else [self._vector(row) for row in found.losses]
        return {
            "at": {one.name: self.number(one.value) for one in letters},
            "dz_dx": None
            if found is None or self.solution.is_gradient_alone
            else [self._vector(row) for row in found.z],
            "dL_dx": _one_or_all(self.solution, losses) if losses else None,
        }

    def _derivatives(self) -> dict[str, Json]:
        derivatives = self.solution.derivatives
        kinds = ("dz", "dlambda", "dlambda_lb", "dlambda_ub", "dnu")
        if derivatives is None:
            return {f"{kind}_d{key}": None for kind in (*kinds, "dL") for key in PARAMETERS}
        multipliers = derivatives.multipliers
        of_kind: dict[RowKind, list[Sequence[Fraction | None]] | None] = dict.fromkeys(RowKind)
        if multipliers is not None:
            nothing = (Fraction(0),) * len(derivatives.parameters)
            sizes = (len(self.program.h), self.program.unknowns, self.program.unknowns)
            of_kind = {kind: [nothing] * size for kind, size in zip(RowKind, sizes, strict=True)}
            for inequality, row in zip(self.solution.inequalities, multipliers, strict=True):
                rows = of_kind[inequality.kind]
                assert rows is not None
                rows[inequality.number] = row
        found: dict[str, Json] = {}
        matrices = (derivatives.z, *of_kind.values(), derivatives.equality_multipliers)
        for kind, matrix in zip(kinds, matrices, strict=True):
            is_shown = matrix is not None and not self.solution.is_gradient_alone
            split = None if matrix is None or not is_shown else [self._columns(row, derivatives) for row in matrix]
            for key in PARAMETERS:
                found[f"{kind}_d{key}"] = None if split is None else [self._vector(row[key]) for row in split]
        return found | self._of_losses(derivatives.losses, derivatives)

    def _matrix_gradients(self) -> dict[str, Json]:
        gradients = self.solution.matrix_gradients
        found: dict[str, Json] = {}
        for key in ("P", "G", "A"):
            matrices = [[self._vector(row) for row in getattr(one, key)] for one in gradients or ()]
            found[f"dL_d{key}"] = _one_or_all(self.solution, matrices) if matrices else None
        return found

    def _slope(self, slope: Slope | Missing) -> Json:
        if isinstance(slope, Missing):
            return str(slope)
        losses = self._vector(slope.losses)
        return {"dz": self._vector(slope.z), "dL": _one_or_all(self.solution, losses) if losses else None}

    def _certificate(self) -> Json:
        certificate = self.solution.certificate
        if isinstance(certificate, FarkasCertificate):
            return {
                **self._by_row(certificate.multipliers),
                "nu": self._vector(certificate.equality_multipliers),
                "value": self.number(certificate.value),
            }
        if isinstance(certificate, RayCertificate):
            return {"ray": self._vector(certificate.ray), "point": self._vector(certificate.point)}
        return None
