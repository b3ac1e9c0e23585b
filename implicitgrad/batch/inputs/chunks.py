"""Read the systems of a batch in chunks: from files, lists of files, and streams of JSON lines."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from implicitgrad.batch.inputs.blocks import read_blocks
from implicitgrad.batch.inputs.stack_parts import parts_of
from implicitgrad.batch.inputs.walk import PAUSE
from implicitgrad.batch.task import Chunk, Item
from implicitgrad.readers.files.faults import unreadable
from implicitgrad.readers.sources import MAX_BYTES, file_of, format_by_suffix, open_source, read_bytes
from implicitgrad.text.errors import InputError, Problem

CHUNK_BYTES = 2**16
CHUNK_ITEMS = 128
"""The most systems in a chunk; with few, workers end at about the same time."""
MAX_SENT = 2**20
"""The most bytes of a file that are sent to a worker; the worker itself reads a larger file."""
RECORD_BEGINNING = b'{"name": '
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""The byte order marks of UTF-16."""

YAML_MARKS = (b"---", b"%", b"#")
"""The beginnings of a first line that is YAML and not JSON."""
DOCUMENT_MARK = b"---"
"""Separates YAML documents; skipped between JSON lines, each of which is a YAML document."""

FileId = tuple[int, int]
"""A file's device and inode number."""


def chunks(
    sources: Iterable[str | InputError], own: Collection[FileId] = (), *, sends_all: bool = False
) -> Iterator[Chunk | InputError]:
    """Yield chunks of items, and the problems with sources.

    An empty chunk announces that the next one may be a long time coming. own : the files that results go to, which are
    skipped. sends_all : send large files too, to workers that cannot read them.
    """
    chunk: Chunk = []
    total = 0
    for source in sources:
        if source == PAUSE:
            yield from (chunk, []) if chunk else ([],)
            chunk, total = [], 0
            continue
        item = source if isinstance(source, InputError) else _item(source, own, sends_all=sends_all)
        if item is None:
            continue
        if isinstance(item, Item):
            *others, item = parts_of(item)
            if others:
                yield from ([chunk] if chunk else [])
                yield from ([part] for part in others)
                chunk, total = [], 0
            chunk.append(item)
            total += size(item)
            if total < CHUNK_BYTES and len(chunk) < CHUNK_ITEMS:
                continue
        if chunk:
            yield chunk
        chunk, total = [], 0
        if isinstance(item, InputError):
            yield item
        elif isinstance(item, str):
            yield from _stream(item)
    if chunk:
        yield chunk


def is_stream(path: str) -> bool:
    """Return whether a file's suffix says that it holds one system a line."""
    found = format_by_suffix(path)
    return found is not None and found.is_stream


def _item(source: str, own: Collection[FileId], *, sends_all: bool) -> Item | InputError | str | None:
    """Return a file as an item, the name of a stream, or None for a file that results go to.

    The item has no data if the file is large or NumPy's.
    """
    if source == "-":
        return source
    try:
        status = os.stat(file_of(source))
        if (status.st_dev, status.st_ino) in own:
            return None
        found = format_by_suffix(source)
        is_file = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
        if not is_file or not os.path.splitext(file_of(source))[1] or is_stream(source):
            return source
        if (found is not None and not found.is_text) or (status.st_size > MAX_SENT and not sends_all):
            return Item(source, None)
        return Item(source, read_bytes(source))
    except InputError as error:
        return error
    except (OSError, ValueError) as error:
        return unreadable(source, error)


def size(item: Item) -> int:
    """Return the number of bytes; 0 if the file cannot be read."""
    if item.data is not None:
        return len(item.data)
    try:
        return os.stat(file_of(item.source)).st_size
    except (OSError, ValueError):
        return 0


def _stream(source: str) -> Iterator[Chunk | InputError]:
    """Yield JSON lines as they arrive, or one text of YAML or CSV; its beginning decides if the name does not."""
    try:
        descriptor, beginning = open_source(source)
    except (OSError, ValueError) as error:
        yield unreadable(source, error)
        return
    blocks = chain([beginning] if beginning else [], read_blocks(descriptor))
    try:
        if is_stream(source):
            yield from _lines(source, blocks)
        else:
            yield from _text_or_lines(source, blocks)
    except OSError as error:
        yield unreadable(source, error)
    finally:
        if source != "-":
            os.close(descriptor)


def _text_or_lines(source: str, blocks: Iterator[bytes]) -> Iterator[Chunk | InputError]:
    parts: list[bytes] = []
    waiting = blank = 0
    """The bytes in the parts, and the number of blank lines at the beginning."""
    is_stream: bool | None = None
    for block in blocks:
        if not block:
            yield []
            continue
        parts.append(block)
        waiting += len(block)
        if b"\n" in block and is_stream is None:
            held = b"".join(parts)
            if not held.strip():
                blank += held.count(b"\n")
                held = held[held.rindex(b"\n") + 1 :]
            else:
                is_stream = _is_stream(held)
            if is_stream:
                yield from _lines(source, chain([held], blocks), blank)
                return
            parts, waiting = [held], len(held)
        if waiting > MAX_BYTES:
            held = b"".join(parts)
            if b"\n" not in held and held.lstrip().startswith(b"{"):
                yield from _lines(source, chain([held], blocks), blank)
            else:
                yield _too_large(source, "a text")
            return
    held = b"".join(parts)
    if is_stream is None and _is_object(held.strip().split(b"\n")[0]):
        yield from _lines(source, iter([held]), blank)
    else:
        yield [Item(source, b"\n" * blank + held)]


def _is_stream(text: bytes) -> bool | None:
    """Return whether a text is JSON lines: its first line is an object, or a damaged one that another follows.

    None if the next line is needed to decide.
    """
    first, _, rest = text.lstrip().partition(b"\n")
    if _is_object(first):
        return True
    if first.startswith(YAML_MARKS):
        return False
    second, is_whole, _ = re.sub(rb"\A(?:[ \t\r]*\n)+", b"", rest).partition(b"\n")
    if second[:1].isspace():  # it continues what the first began
        return False if is_whole else None
    looks_so = first.startswith(b"{") and first.rstrip().endswith(b"}") and second.startswith(b"{")
    if looks_so or _is_object(second):
        return True
    return False if is_whole else None


def _is_object(line: bytes) -> bool:
    """Return whether a line is a complete JSON object."""
    import json

    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _lines(source: str, blocks: Iterator[bytes], line: int = 0) -> Iterator[Chunk | InputError]:
    """Yield the systems of JSON lines. line : the number of lines before the first block."""
    parts: list[bytes] = []
    waiting = number = 0
    is_first = True
    is_too_long = False
    for block in chain(blocks, [b"\n"]):
        if not block:
            yield []
            continue
        if is_too_long:
            _, end, block = block.partition(b"\n")
            if not end:
                continue
            is_too_long = False
        if is_first and block.startswith(WIDE_MARKS):
            message = "expected UTF-8 text, a JSON object on each line, got UTF-16"
            yield InputError([Problem(message, "Save the file as UTF-8", "not-text", source)])
            return
        is_first = False
        parts.append(block)
        waiting += len(block)
        if b"\n" in block:
            whole, _, rest = b"".join(parts).rpartition(b"\n")
            parts, waiting = [rest], len(rest)
            chunk: Chunk = []
            for text in whole.split(b"\n"):
                line += 1
                if text.strip() and text.strip() != DOCUMENT_MARK:
                    if not number and is_result(text):
                        yield _not_systems(source)
                        return
                    number += 1
                    chunk.append(Item(_numbered(source, number), text, line))
            yield from _parts(chunk)
        if waiting > MAX_BYTES:
            line += 1
            number += 1
            yield _too_large(_numbered(source, number), "a line", line)
            parts, waiting, is_too_long = [], 0, True
    if not number:
        yield InputError([Problem("empty; expected a system in JSON on each line", None, "empty", source)])


def _numbered(source: str, number: int) -> str:
    return source if number == 1 else f"{source}#{number}"


def _parts(chunk: Chunk) -> Iterator[Chunk]:
    """Split a chunk into the fewest parts of about equal size with at most CHUNK_ITEMS."""
    number = -(-len(chunk) // CHUNK_ITEMS)
    for k in range(number):
        yield chunk[k * len(chunk) // number : (k + 1) * len(chunk) // number]


def is_result(line: bytes) -> bool:
    """Return whether a line is a record of solve or batch."""
    import json

    if not line.startswith(RECORD_BEGINNING) or b'"source": ' not in line:
        return False
    try:
        record = json.loads(line)
    except ValueError:
        return False
    return "A" not in record and {"name", "source"} <= set(record) and ("error" in record or "exact" in record)


def _not_systems(source: str) -> InputError:
    message = "expected systems, got the results of a batch"
    return InputError([Problem(message, "--exclude leaves the file out", "bad-syntax", source)])


def _too_large(source: str, what: str, line: int | None = None) -> InputError:
    message = f"expected at most {MAX_BYTES >> 20} MiB in {what}, got more"
    return InputError([Problem(message, None, "too-large", source, line)])
