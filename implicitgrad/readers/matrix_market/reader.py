"""Read MatrixMarket files, plain or compressed by gzip: one matrix, entry by entry or column by column.

Boisvert, Pozo, Remington 1996, *The Matrix Market Exchange Formats: Initial Design*, NISTIR 5935. Entries of a small
file are kept as texts, so that their decimals are exact. The lines of a large file are converted all at once; if that
fails, or the entries do not fit the header, they are read again line by line to locate the problem.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from implicitgrad.model.spec import SourceValue, SystemSpec
from implicitgrad.numbers.doubles import Decimals
from implicitgrad.numbers.rounding import to_float
from implicitgrad.readers.arrays.sparse_limits import is_sparse, refuse_empty_sides
from implicitgrad.readers.matrix_market.banner import BANNER
from implicitgrad.readers.matrix_market.lines import INDEX, Entries, Header, LineReader, as_rows
from implicitgrad.readers.sources import MAX_BYTES, decode, read_bytes, stem
from implicitgrad.text.characters import count, quoted
from implicitgrad.text.errors import InputError, Problem
from implicitgrad.text.number_grammar import parse_ratio

if TYPE_CHECKING:
    from implicitgrad.readers.arrays.triplets import Triplets

EXAMPLE = "%%MatrixMarket matrix coordinate real general"
LAYOUTS = {"coordinate": 3, "array": 2}
"""The numbers in the line of sizes."""
FIELDS = ("real", "double", "integer", "unsigned-integer")
SYMMETRIES = ("general", "symmetric", "skew-symmetric")
NO_VALUES = {
    "pattern": "A pattern says where a matrix is not 0, not what it is there; write its values",
    "complex": "Of complex numbers write the real matrix of twice the size, [[Re, -Im], [Im, Re]]",
}
GZIP = b"\x1f\x8b"
GZIP_BITS = 31
"""The wbits of zlib for data with a gzip header."""
LARGE = 2**16
"""Bytes from which the lines are converted all at once, which needs NumPy."""
MAX_TEXTS = 2**16
"""Entries of a matrix up to which all are kept as texts."""


def read_systems(path: str) -> list[SystemSpec]:
    """Return the system whose A a file holds. Raise InputError."""
    return [SystemSpec(path, {"A": read_matrix(path)}, stem(path[: -len(".gz")] if _is_compressed(path) else path))]


def read_matrix(path: str) -> SourceValue:
    """Return the matrix in a file. Raise InputError."""
    data = read_bytes(path)
    if _is_compressed(path):
        data = _decompressed(path, data)
    if not data or data.isspace():
        raise InputError([Problem("empty; expected a matrix", code="empty", source=path)])
    return SourceValue(_File(path, data).matrix(), path)


def read_text(text: str, source: str) -> SourceValue:
    """Return the matrix in the text of a file that begins with the banner. Raise InputError."""
    return SourceValue(_File(source, text.encode()).matrix(), source)


def _is_compressed(path: str) -> bool:
    return path.lower().endswith(".gz")


def _decompressed(path: str, data: bytes) -> bytes:
    """Return the content of gzip data, at most MAX_BYTES. Raise InputError."""
    pieces, size = [], 0
    while data:
        unpacker = zlib.decompressobj(GZIP_BITS)
        try:
            pieces.append(unpacker.decompress(data, MAX_BYTES + 1 - size))
        except zlib.error as error:
            found = "damaged gzip data" if data.startswith(GZIP) else "something else"
            message = f"expected a MatrixMarket file compressed by gzip, got {found} ({error})"
            raise InputError([Problem(message, None, "bad-syntax", path)]) from None
        size += len(pieces[-1])
        if size > MAX_BYTES:
            message = f"expected at most {MAX_BYTES >> 20} MiB when unpacked, got more"
            raise InputError([Problem(message, None, "too-large", path)])
        if not unpacker.eof:
            message = (
                f"the gzip data ends too early, after {count(b''.join(pieces).count(10), 'line')}: it is truncated"
            )
            raise InputError([Problem(message, "Copy the file again", "bad-syntax", path)])
        data = unpacker.unused_data.lstrip(b"\0")
    return b"".join(pieces)


class _File:
    """A file that is being read."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path, self.data = path, data.replace(b"\r\n", b"\n")

    def matrix(self) -> object:
        """Return rows of texts, Decimals, or a SparseMatrix if it is large. Raise InputError."""
        header, start = self._header()
        refuse_empty_sides(self.path, header.shape, min(header.entries, len(self.data) // 2), header.line)
        if len(self.data) >= LARGE:
            from implicitgrad.readers.arrays.triplets import from_bytes

            found = from_bytes(self.data[start:], header)
            if found is not None:
                return self._value(header, found)
        entries = self._entries(header)
        if header.shape[0] * header.shape[1] <= MAX_TEXTS:
            return as_rows(header.shape, entries)
        from implicitgrad.readers.arrays.triplets import from_texts

        try:
            found = from_texts(entries)
        except OverflowError:
            if is_sparse(header.shape) and header.is_coordinate:
                raise self._beyond_doubles(entries) from None
            return as_rows(header.shape, entries)  # exact arithmetic may take them
        return self._value(header, found)

    def _beyond_doubles(self, entries: Entries) -> InputError:
        """Return the error for an entry that overflows a double or is rounded to 0."""
        for i, j, text in zip(*entries, strict=True):
            numerator, denominator = parse_ratio(text)
            double = to_float(Fraction(numerator, denominator))
            if double is None or (numerator and not double):
                message = f"entry ({i + 1}, {j + 1}): expected a number within the range of doubles, got {text}"
                return InputError([Problem(message, None, "overflow", self.path)])
        raise AssertionError("an entry is beyond the range of doubles")

    def _value(self, header: Header, found: Triplets) -> Any:  # noqa: ANN401 (Decimals, or a SparseMatrix)
        from implicitgrad.readers.arrays.triplets import to_dense, to_sparse

        if is_sparse(header.shape) and header.is_coordinate:
            return to_sparse(self.path, header.shape, found)
        texts = lambda: as_rows(header.shape, self._entries(header))  # noqa: E731
        return Decimals(to_dense(header.shape, found), found.has_decimals, texts)

    def _refuse(self, message: str, line: int, column: int | None = None, hint: str | None = None) -> InputError:
        return InputError([Problem(message, hint, "bad-syntax", self.path, line, column)])

    def _header(self) -> tuple[Header, int]:
        """Return the header and where the entries begin in the data. Raise InputError."""
        is_coordinate, symmetry = self._banner()
        start = self.data.find(b"\n") + 1
        line = 2
        while 0 < start < len(self.data):
            end = self.data.find(b"\n", start)
            text = self._decoded(self.data[start : end if end >= 0 else None], line)
            if text.strip() and not text.startswith("%"):
                return self._sizes(text, line, is_coordinate, symmetry), end + 1 if end >= 0 else len(self.data)
            start, line = end + 1, line + 1
        sizes = "rows, columns and entries" if is_coordinate else "rows and columns"
        raise self._refuse(f"expected a line with the numbers of {sizes}, got the end of the file", line)

    def _decoded(self, data: bytes, line: int) -> str:
        return decode(self.path, data, line)

    def _banner(self) -> tuple[bool, str]:
        """Return whether the layout is coordinate, and the symmetry. Raise InputError."""
        words = self._decoded(self.data.split(b"\n", 1)[0], 1).split()
        lower = [word.lower() for word in words]
        if not lower or lower[0] != BANNER:
            found = quoted(words[0]) if words else "an empty line"
            raise self._refuse(f"expected {EXAMPLE.split()[0]} at the start, got {found}", 1, 1, f"Such as {EXAMPLE}")
        if len(lower) != len(EXAMPLE.split()):
            message = f"expected {len(EXAMPLE.split())} words in the header, got {len(lower)}"
            raise self._refuse(message, 1, None, f"Such as {EXAMPLE}")
        known = (("matrix",), tuple(LAYOUTS), (*FIELDS, *NO_VALUES), (*SYMMETRIES, "hermitian"))
        for position, (word, choices) in enumerate(zip(lower[1:], known, strict=True), start=1):
            if word not in choices:
                expected = " or ".join(one for one in choices if one not in NO_VALUES and one != "hermitian")
                raise self._refuse(f"expected {expected}, got {quoted(words[position])}", 1, self._column(1, position))
        field, symmetry = lower[3:]
        if field in NO_VALUES or symmetry == "hermitian":
            position = 3 if field in NO_VALUES else 4
            message = f"expected a matrix of real numbers, got a {lower[position]} one"
            hint = NO_VALUES.get(field, NO_VALUES["complex"])
            raise self._refuse(message, 1, self._column(1, position), hint)
        return lower[2] == "coordinate", symmetry

    def _column(self, line: int, position: int) -> int:
        """Return the column, 1-based, of a word of a line."""
        text = self._decoded(self.data.split(b"\n", line)[line - 1], line)
        return [match.start() + 1 for match in re.finditer(r"\S+", text)][position]

    def _sizes(self, text: str, line: int, is_coordinate: bool, symmetry: str) -> Header:
        words = text.split()
        expected = LAYOUTS["coordinate" if is_coordinate else "array"]
        if len(words) != expected or not all(map(INDEX.fullmatch, words)):
            sizes = "rows, columns and entries" if is_coordinate else "rows and columns"
            raise self._refuse(f"expected the numbers of {sizes}, got {quoted(text.strip())}", line)
        M, N, *given = map(int, words)
        if symmetry != "general" and M != N:
            raise self._refuse(f"expected as many rows as columns of a {symmetry} matrix, got {M}×{N}", line)
        if not (M and N):
            raise self._refuse(f"the matrix is empty, of shape {M}×{N}; expected at least one number", line)
        written = {"general": M * N, "symmetric": N * (N + 1) // 2, "skew-symmetric": N * (N - 1) // 2}[symmetry]
        if given and given[0] > M * N:
            raise self._refuse(f"expected at most {M * N} entries, as many as {M}×{N} has, got {given[0]}", line)
        return Header(is_coordinate, symmetry, (M, N), given[0] if given else written, line)

    def _entries(self, header: Header) -> Entries:
        """Read line by line. Raise InputError with every problem found."""
        return LineReader(self.path, header, self._lines(header)).entries()

    def _lines(self, header: Header) -> Iterator[tuple[int, str]]:
        """Yield the lines of entries with their numbers."""
        lines = self._decoded(self.data, 1).split("\n")
        for number in range(header.line, len(lines)):
            text = lines[number]
            if text and not text.isspace() and not text.startswith("%"):
                yield number + 1, text
