"""The registry of input formats: the suffixes of each, and the module of readers/ that reads it.

A new format is one module and its line in FORMATS. A module that reads text has
``read_systems(text, source, csv_format)``, any other ``read_systems(path)``. If one matrix can be given as @FILE, it
has ``read_matrix`` with the same arguments. A module is imported when its format is first read.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from implicitgrad.model.spec import UNSTATED, CsvFormat, SourceValue, SystemSpec
from implicitgrad.readers.files.source import STANDARD_INPUT, read_text
from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import UsageError

COMPRESSED = ".gz"
MAX_BLANKS = 2**12
"""Characters between two JSON lines."""


class Reader(Protocol):
    """The functions of a module that reads a format."""

    read_systems: Callable[..., list[SystemSpec]]
    read_matrix: Callable[..., SourceValue]


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
    """Whether it holds one system a line, so that batch can answer while it reads."""
    has_claims: bool = False
    """Whether check finds such files in directories."""
    has_matrix: bool = True
    """Whether a file can hold one bare matrix."""
    has_stacks: bool = False
    """Whether a file can hold a stack of systems, from which an index behind its name chooses."""
    has_column_vectors: bool = False
    """Whether a vector is written as a matrix of one column."""

    def load(self) -> Reader:
        """Import the module that reads the format."""
        return cast("Reader", import_module(f"implicitgrad.readers.{self.module}"))


FORMATS = (
    InputFormat("YAML", (".yaml", ".yml"), "yaml.reader", has_claims=True),
    InputFormat("YAML", (".json",), "yaml.reader", is_json=True, has_claims=True),
    InputFormat("JSON", (".jsonl", ".ndjson"), "yaml.json_lines", is_json=True, is_stream=True, has_matrix=False),
    InputFormat("CSV", (".csv",), "csv.reader", delimiter=",", has_claims=True),
    InputFormat("CSV", (".tsv",), "csv.reader", delimiter="\t"),
    InputFormat("NumPy's", (".npy",), "arrays.npy", is_text=False, has_stacks=True),
    InputFormat(
        "NumPy's", (".npz",), "arrays.npz", is_text=False, has_claims=True, has_stacks=True, has_column_vectors=True
    ),
    InputFormat("MatrixMarket", (".mtx", ".mtx.gz"), "matrix_market.reader", is_text=False, has_column_vectors=True),
)
BY_SUFFIX = {suffix: one for one in FORMATS for suffix in one.suffixes}
YAML, JSON_LINES, CSV = BY_SUFFIX[".yaml"], BY_SUFFIX[".jsonl"], BY_SUFFIX[".csv"]


def format_by_suffix(path: str) -> InputFormat | None:
    """Return the format that a file's suffix stands for."""
    return BY_SUFFIX.get(_suffix(path))


def suffixes_of(is_wanted: Callable[[InputFormat], bool]) -> tuple[str, ...]:
    """Return the suffixes of some formats."""
    return tuple([suffix for suffix, one in BY_SUFFIX.items() if is_wanted(one)])


_STACKED = suffixes_of(lambda one: one.has_stacks)


def split_source(source: str) -> tuple[str, str]:
    """Return the file and the index of a source such as four.npy[1,2]; the index is "" if it has none."""
    if source.endswith("]"):
        file, bracket, index = source.rpartition("[")
        if file.lower().endswith(_STACKED):
            return file, bracket + index
    return source, ""


def file_of(source: str) -> str:
    """Return the file of a source such as four.npy[1,2]."""
    return split_source(source)[0]


def is_stream(path: str) -> bool:
    """Return whether a file's suffix says that it holds one system a line."""
    found = format_by_suffix(path)
    return found is not None and found.is_stream


def read_specs(source: str, csv_format: CsvFormat = UNSTATED, text: str | None = None) -> list[SystemSpec]:
    """Return the systems in a file or "-", as written. Raise InputError or UsageError.

    text : the content of the source if it was read already, or is to be tried before it is written.
    """
    found, csv_format = _format_of(source, csv_format)
    if not found.is_text:
        return found.load().read_systems(source)
    if text is None:
        text = read_text(source)
    if found is YAML and _has_json_lines(text):
        found = JSON_LINES
    if found is YAML and source == STANDARD_INPUT:
        from implicitgrad.readers.files.standard_input import read_standard_input

        return read_standard_input(text, found.load().read_systems)
    return found.load().read_systems(text, source, csv_format)


def _format_of(source: str, csv_format: CsvFormat) -> tuple[InputFormat, CsvFormat]:
    """Return the format of a source, and how its CSV is written. Raise UsageError if nothing says which it is."""
    found = format_by_suffix(source)
    if found is not None and found.delimiter is not None:
        return found, csv_format._replace(delimiter=csv_format.delimiter or found.delimiter)
    if found is None and csv_format.delimiter is not None:
        return CSV, csv_format
    suffix = _suffix(source)
    if found is None and suffix and os.path.isfile(source):
        raise UsageError(
            f"{printable(source)}: expected a name ending in {', '.join(BY_SUFFIX)}, got {quoted(suffix)}",
            f"A matrix alone is read by -A @{printable(source)}; if it is CSV, --delimiter , says so",
        )
    found = found or YAML
    if csv_format != UNSTATED:
        hint = "CSV through standard input needs --delimiter" if source == STANDARD_INPUT else None
        options = "--delimiter, --decimal, --header and --index"
        raise UsageError(f"{options} are for CSV; {printable(source)} is read as {found.name}", hint)
    return found, csv_format


def _has_json_lines(text: str) -> bool:
    """Return whether an object on a line of its own is followed by another, or by --- and lines of objects alone."""
    first, _, rest = text.partition("\n")
    if not (first.startswith("{") and first.rstrip().endswith("}")):
        return False
    following = rest[:MAX_BLANKS].lstrip()
    if following.startswith("---"):
        lines = map(str.strip, rest.split("\n"))
        return all(line in ("", "---") or (line[0] == "{" and line[-1] == "}") for line in lines)
    return following.startswith("{")


def _suffix(path: str) -> str:
    """Return a path's suffix, and the one before it if the file is compressed."""
    name, suffix = os.path.splitext(file_of(path).lower())
    return f"{os.path.splitext(name)[1]}{suffix}" if suffix == COMPRESSED else suffix
