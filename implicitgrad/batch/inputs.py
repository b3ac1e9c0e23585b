"""The systems of a batch, in chunks: files, directories, patterns, lists of files, and streams of JSON lines."""

from __future__ import annotations

import codecs
import errno
import os
import re
import stat
import sys
from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from implicitgrad.batch.task import Item
from implicitgrad.batch.walk import PAUSE, walk
from implicitgrad.readers.formats import BY_SUFFIX, format_by_suffix, is_stream
from implicitgrad.readers.source import MAX_BYTES, open_file, read_bytes, unreadable
from implicitgrad.text.characters import printable
from implicitgrad.text.errors import InputError, Problem, UsageError

CHUNK_BYTES = 2**16
CHUNK_ITEMS = 128
"""Systems in a chunk, at most: small ones, too, are work, and no worker is to have much of it when the others end."""
MAX_SENT = 2**20
"""Bytes of a file, above which it is read where it is answered."""
RECORD_BEGINNING = b'{"name": '
READ_SIZE = 2**16
LONGEST_NAME = 2**12
"""Bytes of a path: systems take no more."""
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""The beginnings of UTF-16."""

YAML_MARKS = (b"---", b"%", b"#")
"""The beginnings of a first line that is no JSON."""
DOCUMENT_MARK = b"---"
"""Between YAML documents; between lines of JSON, which are such documents, it is passed over."""

Chunk = list[Item]
Identity = tuple[int, int]
"""A file's device and number."""


def chunks(
    sources: Iterable[str | InputError], own: Collection[Identity] = (), *, sends_all: bool = False
) -> Iterator[Chunk | InputError]:
    """Items by the chunk; an empty one says that the next may be long in coming. And what is wrong with a source.

    own : the files that results go to, which are passed over. sends_all : large files too, to workers that cannot read
    them.
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


def listed(path: str) -> Iterator[str]:
    """The names in a file, or in standard input for "-", each ended by a NUL or, where there is none, by a line end.

    And a PAUSE before each wait for more. It is opened at once. Raises UsageError.
    """
    try:
        descriptor, beginning = _opened(path)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is a directory, and is given without --files-from")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"--files-from {printable(path)}: cannot be read: {reason}") from None
    return _names(chain([beginning], _blocks(descriptor)), None if path == "-" else descriptor)


def _names(blocks: Iterator[bytes], descriptor: int | None) -> Iterator[str]:
    try:
        rest = b""
        end: bytes | None = None
        is_first = True
        is_too_long = False
        for block in blocks:
            if not block:
                yield PAUSE
                continue
            rest += block
            if end is None and (b"\0" in rest or b"\n" in rest):
                end = b"\0" if b"\0" in rest else b"\n"
            if end is None and len(rest) <= LONGEST_NAME:
                continue
            if is_first:
                rest = rest.removeprefix(codecs.BOM_UTF8)
                is_first = False
            *names, rest = [rest] if end is None else rest.split(end)
            if is_too_long and names:
                del names[0]
                is_too_long = False
            if end == b"\n":
                names = [name.removesuffix(b"\r") for name in names]
            yield from (os.fsdecode(name) for name in names if name.strip())
            if len(rest) > LONGEST_NAME:
                if not is_too_long:
                    yield os.fsdecode(rest[: LONGEST_NAME + 1])  # no file has that name, as who opens it says
                is_too_long, rest = True, b""
        if rest.strip() and not is_too_long:
            yield os.fsdecode(rest.removeprefix(codecs.BOM_UTF8) if is_first else rest)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def find(paths: Iterable[str], exclude: Iterable[str]) -> Iterator[str | InputError]:
    """The files of a batch."""
    return walk(paths, exclude, tuple(BY_SUFFIX))


def _item(source: str, own: Collection[Identity], *, sends_all: bool) -> Item | InputError | str | None:
    """A file with its bytes; the name of what is read as it comes; None for what is the batch's own.

    A file has no bytes yet where they are many, or are NumPy's.
    """
    if source == "-":
        return source
    try:
        status = os.stat(source)
        if (status.st_dev, status.st_ino) in own:
            return None
        found = format_by_suffix(source)
        is_file = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
        if not is_file or not os.path.splitext(source)[1] or is_stream(source):
            return source
        if (found is not None and not found.is_text) or (status.st_size > MAX_SENT and not sends_all):
            return Item(source, None)
        return Item(source, read_bytes(source))
    except InputError as error:
        return error
    except (OSError, ValueError) as error:
        return unreadable(source, error)


def size(item: Item) -> int:
    """Its bytes."""
    if item.data is not None:
        return len(item.data)
    try:
        return os.stat(item.source).st_size
    except (OSError, ValueError):
        return 0


def _stream(source: str) -> Iterator[Chunk | InputError]:
    """JSON lines as they come, or one text, of YAML or CSV, where the name does not say and it does not look so."""
    try:
        descriptor, beginning = _opened(source)
    except (OSError, ValueError) as error:
        yield unreadable(source, error)
        return
    blocks = chain([beginning] if beginning else [], _blocks(descriptor))
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


def _opened(path: str) -> tuple[int, bytes]:
    """A descriptor, and what had to be read from it already. Raises OSError or ValueError."""
    if path != "-":
        return open_file(path)
    if sys.stdin is None or sys.stdin.closed:
        raise OSError(errno.EBADF, "standard input is closed")
    return sys.stdin.fileno(), b""


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


def _text_or_lines(source: str, blocks: Iterator[bytes]) -> Iterator[Chunk | InputError]:
    parts: list[bytes] = []
    waiting = blank = 0
    """Bytes in the parts, and lines before the first that is not blank."""
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
    """Whether its beginning is that of JSON lines: a whole object, or what is none with another behind it.

    None where only the next line will tell.
    """
    first, _, rest = text.lstrip().partition(b"\n")
    if _is_object(first):
        return True
    if first.startswith(YAML_MARKS):
        return False
    second, is_whole, _ = re.sub(rb"\A(?:[ \t\r]*\n)+", b"", rest).partition(b"\n")
    if second[:1].isspace():  # it is within what the first began
        return False if is_whole else None
    looks_so = first.startswith(b"{") and first.rstrip().endswith(b"}") and second.startswith(b"{")
    if looks_so or _is_object(second):
        return True
    return False if is_whole else None


def _is_object(line: bytes) -> bool:
    """Whether it is a JSON object, whole."""
    import json

    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _lines(source: str, blocks: Iterator[bytes], line: int = 0) -> Iterator[Chunk | InputError]:
    """line : how many there were before."""
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
    """As few of one size as have no more than CHUNK_ITEMS."""
    number = -(-len(chunk) // CHUNK_ITEMS)
    for k in range(number):
        yield chunk[k * len(chunk) // number : (k + 1) * len(chunk) // number]


def is_result(line: bytes) -> bool:
    """Whether a line is a record of solve or batch."""
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
