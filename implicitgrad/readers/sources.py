"""Read a source, a file or "-" for standard input: find its format, read its text, and have its systems read.

FORMATS is the registry of input formats: the suffixes of each, and the module of readers/ that reads it. A new format
is one module and its line there. A module that reads text has ``read_systems(text, source)``, for CSV with a CsvFormat
as a third argument; any other has ``read_systems(path)``. If a file can hold one bare matrix, it has ``read_matrix``
with the same arguments. A module is imported when its format is first read.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from implicitgrad.model.spec import UNSTATED, CsvFormat, SystemSpec
from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import InputError, Problem, UsageError

STANDARD_INPUT = "-"
MAX_BYTES = 256 * 2**20
CHUNK = 2**16
_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


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
UNNAMED = InputFormat("YAML", (), "files.standard_input")
"""Standard input: YAML, or what another program prints."""


def format_by_suffix(path: str) -> InputFormat | None:
    """Return the format that a file's suffix stands for."""
    return BY_SUFFIX.get(_suffix(path))


def _suffix(path: str) -> str:
    """Return a path's suffix, and the one before it if the file is compressed."""
    name, suffix = os.path.splitext(file_of(path).lower())
    return f"{os.path.splitext(name)[1]}{suffix}" if suffix == ".gz" else suffix


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


def stem(path: str) -> str:
    """Return a file's name without directories and suffix."""
    return os.path.splitext(os.path.basename(path))[0]


def read_specs(source: str, csv_format: CsvFormat = UNSTATED, text: str | None = None) -> list[SystemSpec]:
    """Return the systems in a file or "-", as written. Raise InputError or UsageError.

    text : the content of the source if it was read already, or is to be tried before it is written.
    """
    found = _format_of(source, csv_format)
    specs: list[SystemSpec]
    if not found.is_text:
        specs = found.load().read_systems(source)
        return specs
    text = read_text(source) if text is None else text
    may_be_lines = found in (YAML, UNNAMED) and text.startswith("{") and "\n" in text.rstrip()
    if may_be_lines and JSON_LINES.load().are_json_lines(text):
        found = JSON_LINES
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
            from implicitgrad.readers.files.faults import export_hint

            raise UsageError(
                f"{printable(source)}: expected a name ending in {', '.join(BY_SUFFIX)}, got {quoted(suffix)}",
                export_hint(suffix)
                or f"A matrix alone is read by -A @{printable(source)}; if it is CSV, --delimiter , says so",
            )
        found = UNNAMED if source == STANDARD_INPUT else YAML
    if csv_format != UNSTATED and found.delimiter is None:
        hint = "CSV through standard input needs --delimiter" if source == STANDARD_INPUT else None
        options = "--delimiter, --decimal, --header and --index"
        raise UsageError(f"{options} are for CSV; {printable(source)} is read as {found.name}", hint)
    return found


def read_text(source: str) -> str:
    """Return the text of a file, or of standard input for "-". Raises InputError."""
    text = decode(source, read_bytes(source))
    if not text or text.isspace():
        raise InputError([Problem("empty; expected a system", None, "empty", source)])
    return text


def read_bytes(source: str) -> bytes:
    """Return the content of a file, or of standard input for "-". Raises InputError."""
    try:
        descriptor, beginning = open_source(source)
        chunks, size = [beginning], len(beginning)
        try:
            while size <= MAX_BYTES and (chunk := read_chunk(descriptor)):
                chunks.append(chunk)
                size += len(chunk)
        finally:
            if source != STANDARD_INPUT:
                os.close(descriptor)
    except (OSError, ValueError) as error:
        from implicitgrad.readers.files.faults import unreadable

        raise unreadable(source, error) from None
    if size > MAX_BYTES:
        message = f"expected at most {MAX_BYTES >> 20} MiB, got more"
        raise InputError([Problem(message, None, "too-large", source)])
    return b"".join(chunks)


def open_source(source: str) -> tuple[int, bytes]:
    """Return the descriptor of a file, or of standard input for "-", and what had to be read from it already.

    Raises OSError or ValueError. A FIFO that no process opens for writing is an error.
    """
    if source == STANDARD_INPUT:
        if sys.stdin is None or sys.stdin.closed:
            raise OSError(errno.EBADF, "standard input is closed")
        return sys.stdin.fileno(), b""
    if stat.S_ISFIFO(os.stat(source).st_mode):
        from implicitgrad.readers.files.fifo import open_fifo

        return open_fifo(source)
    return os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0)), b""


def read_chunk(descriptor: int) -> bytes:
    """Return the next bytes as they arrive, b"" at the end."""
    while True:
        try:
            return os.read(descriptor, CHUNK)
        except BlockingIOError:  # another process may have made standard input non-blocking
            import select

            select.select([descriptor], [], [])


def decode(source: str, data: bytes, first_line: int = 1) -> str:
    """Decode bytes, without a byte order mark. Raises InputError.

    first_line : the line of the source on which they begin.
    """
    encoding = next((name for bom, name in _BOMS.items() if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or text[:200].lstrip().startswith(("<", "%", "PK\3")):
        from implicitgrad.readers.files.faults import refuse_no_text

        refuse_no_text(source, data, encoding, first_line)
    return text.removeprefix("\ufeff")
