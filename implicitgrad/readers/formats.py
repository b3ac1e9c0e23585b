"""Which reader a source needs, by its name and what it holds."""

from __future__ import annotations

import os.path

from implicitgrad.model.spec import UNSTATED, CsvFormat, SourceValue, SystemSpec
from implicitgrad.readers.source import STANDARD_INPUT, read_text, stem
from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import InputError, Problem, UsageError

YAML_SUFFIXES = (".yaml", ".yml", ".json")
JSON_LINES_SUFFIXES = (".jsonl", ".ndjson")
NPY_SUFFIX, NPZ_SUFFIX = ".npy", ".npz"
NUMPY_SUFFIXES = (NPY_SUFFIX, NPZ_SUFFIX)
CSV_SUFFIXES = {".csv": ",", ".tsv": "\t"}
MAX_BLANKS = 2**12
"""Characters between two lines of JSON."""


def read_specs(source: str, form: CsvFormat = UNSTATED, text: str | None = None) -> list[SystemSpec]:
    """The systems in a file or "-", as written. Raises InputError or UsageError.

    text : what the file would hold, if that is not yet in it.
    """
    name = stem(source)
    csv_form = _csv_form(source, form)
    suffix = _suffix(source)
    if suffix in NUMPY_SUFFIXES:
        from implicitgrad.readers.npy import read_npy, read_npz

        return read_npy(source, name) if suffix == NPY_SUFFIX else read_npz(source, name)
    if text is None:
        text = read_text(source)
    if csv_form is not None:
        from implicitgrad.readers.csv import read_csv

        return read_csv(text, source, name, csv_form)
    if suffix in JSON_LINES_SUFFIXES or _has_json_lines(text):
        from implicitgrad.readers.json_lines import read_json_lines

        return read_json_lines(text, source, name)
    from implicitgrad.readers.yaml import read_yaml

    return read_yaml(text, source, name)


def read_part(text: str, option: str, *, is_matrix: bool, form: CsvFormat = UNSTATED) -> SourceValue:
    """A matrix or vector given as an option's value: inline, or ``@path`` to a file that holds it.

    is_matrix : one flat row is a matrix of one row.
    """
    if text in ("-", "@"):
        raise UsageError(
            f"{option}: expected a value, got {quoted(text)}", "@FILE reads it from a file, @- from standard input"
        )
    part = _file_part(text[1:], form) if text.startswith("@") else _inline_part(text, option)
    if is_matrix and getattr(part.value, "ndim", 0) == 1:
        return part._replace(value=part.value[None])  # type: ignore[index]
    if is_matrix and isinstance(part.value, list) and not any(isinstance(row, list) for row in part.value):
        return SourceValue([part.value], part.source, lambda path: part.locate(path[1:]))
    return part


def _inline_part(text: str, option: str) -> SourceValue:
    from implicitgrad.readers.inline import read_inline

    return read_inline(text, option)


def _file_part(path: str, form: CsvFormat) -> SourceValue:
    suffix = _suffix(path)
    if suffix in YAML_SUFFIXES:
        from implicitgrad.readers.yaml import read_yaml_value

        return read_yaml_value(read_text(path), path)
    if suffix == NPY_SUFFIX:
        from implicitgrad.readers.npy import read_npy_value

        return read_npy_value(path)
    if suffix == NPZ_SUFFIX:
        hint = "An .npz file is a whole system: give it as the SYSTEM"
        raise InputError([Problem("expected a .npy file for one matrix, got an .npz", hint, "bad-syntax", path)])
    delimiter = form.delimiter or CSV_SUFFIXES.get(suffix)
    if delimiter is None:
        return _inline_part(read_text(path), path)
    from implicitgrad.readers.csv import read_csv_value

    return read_csv_value(read_text(path), path, form._replace(delimiter=delimiter))


def _csv_form(source: str, form: CsvFormat) -> CsvFormat | None:
    """How the CSV in ``source`` is written; None where it is YAML. Raises UsageError where nothing says which."""
    suffix = _suffix(source)
    if suffix in CSV_SUFFIXES:
        return form._replace(delimiter=form.delimiter or CSV_SUFFIXES[suffix])
    is_known = suffix in YAML_SUFFIXES + JSON_LINES_SUFFIXES + NUMPY_SUFFIXES
    if form.delimiter is not None and not is_known:
        return form
    if suffix and not is_known and os.path.isfile(source):
        known = ", ".join([*YAML_SUFFIXES, *JSON_LINES_SUFFIXES, *CSV_SUFFIXES, *NUMPY_SUFFIXES])
        raise UsageError(
            f"{printable(source)}: expected a name ending in {known}, got {quoted(suffix)}",
            "If it is CSV, --delimiter , says so; YAML can come through standard input: -",
        )
    if form != UNSTATED:
        hint = "CSV through standard input needs --delimiter" if source == STANDARD_INPUT else None
        kind = "NumPy's" if suffix in NUMPY_SUFFIXES else "JSON" if suffix in JSON_LINES_SUFFIXES else "YAML"
        raise UsageError(
            f"--delimiter, --decimal, --header and --index are for CSV; {printable(source)} is read as {kind}", hint
        )
    return None


def _has_json_lines(text: str) -> bool:
    """Whether an object on a line of its own is followed by another, or by a mark and lines of which all are such."""
    first, _, rest = text.partition("\n")
    if not (first.startswith("{") and first.rstrip().endswith("}")):
        return False
    following = rest[:MAX_BLANKS].lstrip()
    if following.startswith("---"):
        lines = map(str.strip, rest.split("\n"))
        return all(line in ("", "---") or (line[0] == "{" and line[-1] == "}") for line in lines)
    return following.startswith("{")


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()
