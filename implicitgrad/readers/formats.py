"""The registry of input formats: the suffixes of each, and the module of readers/ that reads it.

A new format is one module and its line in FORMATS. A module that reads text has ``read_systems(text, source)``, for CSV
with a CsvFormat as a third argument; any other has ``read_systems(path)``. If a file can hold one bare matrix, it has
``read_matrix`` with the same arguments. A module is imported when its format is first read.
"""

from __future__ import annotations

import os.path
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from implicitgrad.model.spec import UNSTATED, CsvFormat, SystemSpec
from implicitgrad.readers.files.source import STANDARD_INPUT, read_text
from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import UsageError

COMPRESSED = ".gz"


class InputFormat(NamedTuple):
    """A format of input files."""

    name: str
    """As in "FILE is read as YAML"."""
    suffixes: tuple[str, ...]
    module: str
    delimiter: str | None = None
    """The default separator of a CSV format, which obeys the CSV options; None for others."""
    is_text: bool = True
    is_json: bool = False
    """Whether claims are written into it as JSON."""
    is_stream: bool = False
    """Whether it holds one system a line, and no bare matrix, so that batch can answer while it reads."""
    has_claims: bool = False
    """Whether check finds such files in directories."""
    has_stacks: bool = False
    """Whether a file can hold a stack of systems, from which an index behind its name chooses."""
    has_column_vectors: bool = False
    """Whether a vector is written as a matrix of one column."""

    def load(self) -> ModuleType:
        """Import the module that reads the format."""
        return import_module(f"implicitgrad.readers.{self.module}")

    def csv_arguments(self, stated: CsvFormat) -> list[CsvFormat]:
        """Return the third argument of the functions that read CSV; nothing for other formats."""
        return [stated._replace(delimiter=stated.delimiter or self.delimiter)] if self.delimiter else []


FORMATS = (
    InputFormat("YAML", (".yaml", ".yml"), "yaml.reader", has_claims=True),
    InputFormat("YAML", (".json",), "yaml.reader", is_json=True, has_claims=True),
    InputFormat("JSON", (".jsonl", ".ndjson"), "yaml.json_lines", is_json=True, is_stream=True),
    InputFormat("CSV", (".csv",), "csv.reader", delimiter=",", has_claims=True),
    InputFormat("CSV", (".tsv",), "csv.reader", delimiter="\t"),
    InputFormat("NumPy's", (".npy",), "arrays.npy", is_text=False, has_stacks=True),
    InputFormat(
        "NumPy's", (".npz",), "arrays.npz", is_text=False, has_claims=True, has_stacks=True, has_column_vectors=True
    ),
    InputFormat("MatrixMarket", (".mtx", ".mtx.gz"), "matrix_market.reader", is_text=False, has_column_vectors=True),
)
BY_SUFFIX = {suffix: one for one in FORMATS for suffix in one.suffixes}
STACKED = tuple([suffix for suffix, one in BY_SUFFIX.items() if one.has_stacks])
"""The suffixes of files behind whose names an index may stand."""
YAML, JSON_LINES, CSV = BY_SUFFIX[".yaml"], BY_SUFFIX[".jsonl"], BY_SUFFIX[".csv"]


def format_by_suffix(path: str) -> InputFormat | None:
    """Return the format that a file's suffix stands for."""
    return BY_SUFFIX.get(_suffix(path))


def split_source(source: str) -> tuple[str, str]:
    """Return the file and the index of a source such as four.npy[1,2]; the index is "" if it has none."""
    if source.endswith("]"):
        file, bracket, index = source.rpartition("[")
        if file.lower().endswith(STACKED):
            return file, bracket + index
    return source, ""


def file_of(source: str) -> str:
    """Return the file of a source such as four.npy[1,2]."""
    return split_source(source)[0]


def read_specs(source: str, csv_format: CsvFormat = UNSTATED, text: str | None = None) -> list[SystemSpec]:
    """Return the systems in a file or "-", as written. Raise InputError or UsageError.

    text : the content of the source if it was read already, or is to be tried before it is written.
    """
    found = _format_of(source, csv_format)
    specs: list[SystemSpec]
    if not found.is_text:
        specs = found.load().read_systems(source)
        return specs
    if text is None:
        text = read_text(source)
    if found is YAML and text.startswith("{") and "\n" in text.rstrip():
        from implicitgrad.readers.yaml.json_lines import are_json_lines

        found = JSON_LINES if are_json_lines(text) else YAML
    if found is YAML and source == STANDARD_INPUT:
        from implicitgrad.readers.files.standard_input import read_standard_input

        return read_standard_input(text)
    specs = found.load().read_systems(text, source, *found.csv_arguments(csv_format))
    return specs


def _format_of(source: str, csv_format: CsvFormat) -> InputFormat:
    """Return the format of a source. Raise UsageError if nothing says which it is."""
    found = format_by_suffix(source)
    if found is None:
        if csv_format.delimiter is not None:
            return CSV
        suffix = _suffix(source)
        if suffix and os.path.isfile(source):
            raise UsageError(
                f"{printable(source)}: expected a name ending in {', '.join(BY_SUFFIX)}, got {quoted(suffix)}",
                f"A matrix alone is read by -A @{printable(source)}; if it is CSV, --delimiter , says so",
            )
        found = YAML
    if csv_format != UNSTATED and found.delimiter is None:
        hint = "CSV through standard input needs --delimiter" if source == STANDARD_INPUT else None
        options = "--delimiter, --decimal, --header and --index"
        raise UsageError(f"{options} are for CSV; {printable(source)} is read as {found.name}", hint)
    return found


def _suffix(path: str) -> str:
    """Return a path's suffix, and the one before it if the file is compressed."""
    name, suffix = os.path.splitext(file_of(path).lower())
    return f"{os.path.splitext(name)[1]}{suffix}" if suffix == COMPRESSED else suffix
