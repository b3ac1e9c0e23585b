"""The systems of a batch, in chunks: files, directories, patterns, lists of files, and streams of JSON lines."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator

from implicitgrad.batch import Item
from implicitgrad.cli.walk import SUFFIXES, walk
from implicitgrad.errors import InputError, Problem, UsageError
from implicitgrad.readers.source import MOST_BYTES, read_bytes, unreadable

JSON_LINES_SUFFIXES = (".jsonl", ".ndjson")
NUMPY_SUFFIXES = (".npy", ".npz")
BATCH_SUFFIXES = (*SUFFIXES, ".tsv", *NUMPY_SUFFIXES, *JSON_LINES_SUFFIXES)
CHUNK_BYTES = 2**16
CHUNK_ITEMS = 128
"""Files in a chunk, at most: opening one takes as long as reading hundreds of bytes."""
MOST_SENT = 2**20
"""Bytes of a file, above which it is read where it is answered."""
READ_SIZE = 2**16

Chunk = list[Item]
Refuse = Callable[[InputError], None]


def chunks(sources: Iterable[str | InputError], *, sends_all: bool = False) -> Iterator[Chunk | InputError]:
    """Items by the chunk; an empty one says that the next may be long in coming. And what is wrong with a source.

    sends_all : large files too, to workers that cannot read them.
    """
    chunk: Chunk = []
    total = 0
    for source in sources:
        if isinstance(source, InputError):
            if chunk:
                yield chunk
            chunk, total = [], 0
            yield source
            continue
        if source == "-" or source.lower().endswith(JSON_LINES_SUFFIXES):
            if chunk:
                yield chunk
            chunk, total = [], 0
            yield from _stream(source)
            continue
        item = _file(source, sends_all=sends_all)
        chunk.append(item)
        total += size(item)
        if total >= CHUNK_BYTES or len(chunk) >= CHUNK_ITEMS:
            yield chunk
            chunk, total = [], 0
    if chunk:
        yield chunk


def listed(path: str) -> Iterator[str]:
    """The names in a file, or in standard input for "-", each ended by a NUL or, where there is none, by a line end."""
    descriptor = _opened(path)
    try:
        rest = b""
        end = None
        while block := os.read(descriptor, READ_SIZE):
            rest += block
            if end is None:
                if b"\0" not in rest and b"\n" not in rest:
                    continue
                end = b"\0" if b"\0" in rest else b"\n"
            *names, rest = rest.split(end)
            yield from (os.fsdecode(name.removesuffix(b"\r")) for name in names if name.strip())
        if rest.strip():
            yield os.fsdecode(rest)
    finally:
        if path != "-":
            os.close(descriptor)


def find(paths: Iterable[str], exclude: Iterable[str]) -> Iterator[str | InputError]:
    """The files of a batch."""
    return walk(paths, exclude, BATCH_SUFFIXES)


def _file(path: str, *, sends_all: bool) -> Item:
    """A file with its bytes; without, where they are many, or cannot be read, which is found out again in its turn."""
    if path.lower().endswith(NUMPY_SUFFIXES):
        return Item(path, None)
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode) and status.st_size > MOST_SENT and not sends_all:
            return Item(path, None)
        return Item(path, read_bytes(path))
    except (InputError, OSError, ValueError):
        return Item(path, None)


def size(item: Item) -> int:
    """Its bytes."""
    if item.data is not None:
        return len(item.data)
    try:
        return os.stat(item.source).st_size
    except (OSError, ValueError):
        return 0


def _opened(path: str) -> int:
    """Raises UsageError."""
    if path == "-":
        if sys.stdin is None or sys.stdin.closed:
            raise UsageError("standard input is closed; expected it to be open")
        return sys.stdin.fileno()
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _stream(source: str) -> Iterator[Chunk | InputError]:
    """JSON lines as they come. What does not begin with a whole JSON object on a line is one text, of YAML or CSV."""
    try:
        descriptor = sys.stdin.fileno() if source == "-" else os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError, AttributeError) as error:
        yield unreadable(source, error if isinstance(error, OSError | ValueError) else OSError(9, "it is closed"))
        return
    try:
        yield from _lines(source, _blocks(descriptor))
    except OSError as error:
        yield unreadable(source, error)
    finally:
        if source != "-":
            os.close(descriptor)


def _blocks(descriptor: int) -> Iterator[bytes]:
    """What can be read at once, and nothing before a wait."""
    while True:
        if not _is_ready(descriptor):
            yield b""
        try:
            block = os.read(descriptor, READ_SIZE)
        except BlockingIOError:
            import select

            select.select([descriptor], [], [])
            continue
        if not block:
            return
        yield block


def _is_ready(descriptor: int) -> bool:
    import select

    try:
        return bool(select.select([descriptor], [], [], 0)[0])
    except (OSError, ValueError):  # Windows asks sockets only
        return True


def _lines(source: str, blocks: Iterator[bytes]) -> Iterator[Chunk | InputError]:
    parts: list[bytes] = []
    waiting = number = line = 0
    is_stream: bool | None = source != "-" or None
    for block in blocks:
        if not block:
            yield []
            continue
        parts.append(block)
        waiting += len(block)
        if waiting > MOST_BYTES:
            message = f"expected at most {MOST_BYTES >> 20} MiB in a line, got more"
            yield InputError([Problem(message, None, "too-large", source, line + 1)])
            return
        if is_stream is False or b"\n" not in block:
            continue
        whole, end, rest = b"".join(parts).rpartition(b"\n")
        if is_stream is None and whole.strip():
            is_stream = _begins_with_object(whole)
        if not is_stream:
            parts = [whole + end + rest]
            continue
        chunk: Chunk = []
        for text in whole.split(b"\n"):
            line += 1
            if text.strip():
                number += 1
                chunk.append(_line_item(source, number, text, line))
        parts, waiting = [rest], len(rest)
        if chunk:
            yield chunk
    rest = b"".join(parts)
    if is_stream is None:
        is_stream = _begins_with_object(rest)
    if is_stream and rest.strip():
        yield [_line_item(source, number + 1, rest, line + 1)]
    elif not is_stream:
        yield [Item(source, rest)]


def _line_item(source: str, number: int, text: bytes, line: int) -> Item:
    return Item(source if number == 1 else f"{source}#{number}", text, line)


def _begins_with_object(text: bytes) -> bool:
    """Whether the first line that is not blank is a JSON object, whole."""
    import json

    try:
        return isinstance(json.loads(text.strip().split(b"\n")[0]), dict)
    except (ValueError, RecursionError):
        return False
