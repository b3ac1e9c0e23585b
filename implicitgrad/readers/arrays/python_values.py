"""Read a system from Python values: nested sequences, arrays, numbers and their texts."""

from __future__ import annotations

from collections.abc import Sequence

from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.model.system import AUTO, LinearSystem
from implicitgrad.numbers.doubles import copied, is_array
from implicitgrad.numbers.values import plain
from implicitgrad.readers.systems.build import build_system


def linear_system(
    A: object,
    dL_dy: object = None,
    *,
    B: object = None,
    x: Sequence[str] | None = None,
    y: Sequence[str] | None = None,
    at: object = None,
    name: str | None = None,
    arithmetic: str = AUTO,
) -> LinearSystem:
    """Build a system from Python values.

    A, B : (M, N) and (M, P) nested sequences or arrays. dL_dy : (N,) or (K, N). Entries are int, Fraction, Decimal,
    text such as "0.1" or "3/4", or float, which is taken at its exact binary value: 0.1 is
    3602879701896397/36028797018963968 and "0.1" is 1/10. arithmetic : "exact", "float", or "auto": doubles for arrays
    of doubles and for systems that exact arithmetic would need more than about 0.1 s for. at : the value of x, (P,) or
    a mapping by names. Raises InputError.
    """
    values = {"A": A, "B": B, "dL_dy": dL_dy, "x": x, "y": y, "x_value": at}
    parts = {
        key: SourceValue(copied(value) if is_array(value) else plain(value))
        for key, value in values.items()
        if key == "A" or value is not None
    }
    spec = SystemSpec("<python>", parts, name or "<python>")
    spec.in_letters = at is not None
    return build_system(spec, arithmetic)
