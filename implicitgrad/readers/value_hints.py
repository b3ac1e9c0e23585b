"""Hint at a value that is no list of numbers: a file's name, Python's code, a tensor, an equation, LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from implicitgrad.text.characters import quoted

OPTIONS = {
    "dL_dy": "-g", "B": "-B", "dx": "--dx", "dy_dx": "--dydx", "dL_dx": "--dldx", "dL_dA": "--dlda", "dL_dB": "--dldb",
}  # fmt: skip
"""The options that read a value of these keys from a file."""
_FILE = r"@?([^\n,;=()\[\]]*\.(?:npy|npz|csv|tsv|txt|dat|mtx|json|ya?ml|mat|pt|xlsx))"
_CODE = r"(?:\w+\.)*(?:[Tt]ensor|as_tensor|[Aa]rray|asarray|ndarray|[Mm]atrix|DataFrame)\("


def names_file(text: str) -> str | None:
    """Return the file's name that a text is, if it is one."""
    match = re.fullmatch(_FILE, text.strip())
    return None if match is None else match[1]


def value_hint(key: str, value: object, *, is_claim: bool = False) -> str | None:
    """Return what to write instead of a value that is no list of numbers; None if it resembles nothing else."""
    if isinstance(value, Mapping):
        order = {"dL_dy": "unknowns", "dL_dx": "inputs", "dx": "inputs"}.get(key)
        return f"Write it as [1, 2], in the order of the {order}" if order else None
    if (hint := array_hint(value)) is not None:
        return hint
    text = " ".join(_texts(value))
    if (file := names_file(text)) is not None:
        if key not in OPTIONS:
            return f"A file is read as the system itself, or with -A @{file}" if key == "A" else None
        return f"A file is read with {OPTIONS[key]} @{file}"
    if re.match(_CODE, text):
        return "Write its list alone, as [1, 2]"
    if is_claim and (left := re.match(r"([^=]*[^=<>!])=(?!=)", text)) is not None:
        return f"A claim is the right side alone: leave out {quoted(left[0])}"
    if "\\" in text or "^{" in text:
        from implicitgrad.symbolic.grammar.hints import LATEX

        return LATEX
    return None


def array_hint(value: object) -> str | None:
    """Return a hint at an object that numpy.asarray converts, or what the object says if it refuses that."""
    if not hasattr(value, "__array__") or hasattr(value, "tolist"):
        return None
    try:
        value.__array__()
    except Exception as error:
        return str(error)
    return "numpy.asarray() converts it"


def _texts(value: object) -> Iterator[str]:
    """Yield the first texts of a text or of nested lists of them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value[:9]:
            yield from _texts(item)
