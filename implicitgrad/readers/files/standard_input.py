"""Read standard input whose format nothing states: YAML, MatrixMarket, or a matrix as another program prints it."""

from __future__ import annotations

from implicitgrad.model.spec import SystemSpec
from implicitgrad.readers.matrix_market.banner import is_matrix_market
from implicitgrad.readers.yaml import reader as yaml
from implicitgrad.terminal.streams import say
from implicitgrad.text.errors import InputError


def read_systems(text: str, source: str) -> list[SystemSpec]:
    """Return the systems of YAML, or the one of a matrix as another program prints it. Raise InputError."""
    if is_matrix_market(text):
        from implicitgrad.readers.matrix_market.reader import read_text

        value = read_text(text, source)
        say(f"implicitgrad: {source}: read as a MatrixMarket file")
        return [SystemSpec(source, {"A": value}, source)]
    specs: list[SystemSpec] = []
    error = None
    try:
        specs = yaml.read_systems(text, source)
    except InputError as caught:
        error = caught
    if any(spec.values or not spec.problems for spec in specs):
        return specs
    from implicitgrad.readers.printed.pasted import recognise_system

    found = recognise_system(text, source)
    if found is not None:
        say(f"implicitgrad: {source}: read as {found[0]}")
        return [found[1]]
    if error is not None:
        raise error
    return specs
