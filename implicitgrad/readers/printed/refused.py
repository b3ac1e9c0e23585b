"""Refuse a print that does not show one whole matrix of real numbers, alone."""

from __future__ import annotations

import re

from implicitgrad.readers.printed.brackets import LINE_WIDTH, NOTHING_COMPUTED
from implicitgrad.readers.printed.dialects import AFTER_LATEX, BEFORE_LATEX, LATEX_BEGIN, LATEX_END, Dialect
from implicitgrad.readers.printed.rewriting import refuse_at, rewritten
from implicitgrad.text.characters import quoted

COMPLEX = r"(?<![\w.])(?:\d++\.?\d*+|\.\d++)(?:[eE][-+]?\d++)?+(?:[ijJ]|im|\*I)(?!\w)"
ELLIPSIS = r"\.\.\.|[\u2026\u22ee\u22ef\u22f1]|\\[clvd]?dots\b|\bomitted\b|<<\d+>>"
CONTINUATION = r"\.\.\.(?=[^\S\n]*(?:[%A-Za-z][^\n]*)?\n)"
SHAPE = (
    r"(?m)^[ \t]*(\d{1,9})\u00d7(\d{1,9})[ \t]|^[ \t]*(\d{1,9})-element[ \t]"
    r"|\b(?:shape|size)=[(\[](\d{1,9}), ?(\d{1,9})[)\]]"
)
"""The number of rows and columns, or of entries, that is printed beside them."""
INTEGERS = r"\bdtype\s*=\s*['\"]?(?:\w+\.)?(u?int\d*)\b"
REFUSED = (
    (r"masked_array\(", "a masked array", "A masked entry has no value; fill it first"),
    (r"indices=|\bSparseArray\[|Compressed \w+ Sparse|\(\d+, \d+\)\t|\(\d+, \d+\) ->|\bsparse(?:Matrix)?\("
     r"|(?m:^[ \t]*\(\d+,\d+\)[ \t]+[-+\d.]+$)",
     "a sparse matrix", "Convert it to a dense one before printing it"),
    (r"structure\(c\(|matrix\(\s*(?:data\s*=\s*)?c\(", "R code, whose numbers go down the columns", "Print the matrix"),
    (r"\(:,:,\d+\) *=|(?m:^, , \d+)", "an array of three dimensions", "Paste one matrix of it"),
    (r"\u2500(?=[^\n|]*[\u23a5\u23a6\u239f\u23a0])", "fractions drawn over several lines", "Print str() of it"),
    (r"(?m:^(?:Name: .*)?dtype: \w+\s*\Z)", "a pandas Series", "Print its .to_list()"),
)  # fmt: skip


def refuse_what_is_missing(text: str, dialect: Dialect) -> None:
    """Raise InlineError for prints that do not show all of a real matrix."""
    for pattern, what, hint in REFUSED:
        if (found := re.search(pattern, text)) is not None:
            refuse_at(f"expected one matrix of numbers, got {what}", text, found.start(), hint)
    for found in re.finditer(ELLIPSIS, text):
        if not dialect.is_literal or not re.compile(CONTINUATION).match(text, found.start()) or _is_numpys(text):
            message = f"expected every entry, got {quoted(found[0])} in place of some"
            refuse_at(message, text, found.start(), dialect.print_all)
    if (found := re.search(COMPLEX, text)) is not None:
        refuse_at(f"expected real numbers, got {quoted(found[0])}, which is imaginary", text, found.start())
    if dialect.constants and (found := re.search(rf"(?<![\w.])(?:{dialect.constants})\b", text)) is not None:
        refuse_at(f"expected numbers or letters, got the constant {quoted(found[0])}", text, found.start())


def refuse_another_shape(text: str, rows: object) -> None:
    """Raise InlineError if the entries are not as many, or not of the type, as is stated beside them."""
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        return
    if (shape := re.search(SHAPE, text)) is not None:
        expected = [int(size) for size in shape.groups() if size is not None]
        found = [len(rows), len(rows[0])] if len(expected) == 2 else [sum(map(len, rows))]
        if expected != found:
            stated, got = ("×".join(map(str, sizes)) for sizes in (expected, found))
            refuse_at(f"expected {stated} entries, as is stated here, got {got}", text, shape.start())
    if (integers := re.search(INTEGERS, text)) is not None:
        for entry in (entry for row in rows for entry in row):
            if not re.fullmatch(r"[-+]?\d+\.?0*", entry):
                message = f"expected integers for {integers[1]}, got {quoted(entry)}, which it would cut"
                refuse_at(message, text, integers.start(1))


def _is_numpys(text: str) -> bool:
    """Return whether ... at a line's end may also be NumPy's, between the first and the last three entries."""
    before, _, after = text.partition("...")
    sides = [re.findall(r"[^\s\[\],]+", side) for side in (before, after)]
    return ";" not in text and [len(side) for side in sides] == [3, 3] and len(before) > LINE_WIDTH - 10


def one_environment(text: str) -> str:
    """Return LaTeX without what may stand around a matrix. Raise InlineError for anything else around it."""
    openings, closings = list(re.finditer(LATEX_BEGIN, text)), list(re.finditer(LATEX_END, text))
    first, last = openings[0].start(), closings[-1].end() if closings else len(text)
    if len(openings) > 1:
        refuse_at("expected one matrix, got another", text, openings[1].start())
    if not closings:
        refuse_at("expected an \\end for this \\begin, got none", text, first)
    before, after = re.match(BEFORE_LATEX, text[:first]), re.match(AFTER_LATEX, text[last:])
    assert before is not None
    assert after is not None
    for end, match in ((first, before), (len(text), after)):
        start = match.end() + (last if match is after else 0)
        if start < end:
            message = f"expected a matrix alone, got {quoted(text[start:end].strip())} beside it"
            refuse_at(message, text, start, NOTHING_COMPUTED)
    return rewritten(text[:first], [(r"(?s).+", "")]) + text[first:last] + rewritten(text[last:], [(r"(?s).+", "")])
