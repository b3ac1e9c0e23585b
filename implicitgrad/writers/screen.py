"""Screen: where a page goes, and what that can show."""

from __future__ import annotations

from typing import NamedTuple

from implicitgrad.characters import SYMBOLS, can_encode, encodable, printable


class Screen(NamedTuple):
    """Where a table goes."""

    width: int | None = None
    """Columns; None where lines may be as long as they need to be."""
    has_color: bool = False
    encoding: str = "utf-8"

    @property
    def has_symbols(self) -> bool:
        """Whether the encoding has ∂ and the like; where not, they are in ASCII."""
        return can_encode(SYMBOLS, self.encoding)

    def label(self, name: str) -> str:
        """A name as it is, but for what the screen would act on or cannot show."""
        shown = printable(name)
        if self.has_symbols and can_encode(shown, self.encoding):
            return shown
        return shown.encode("ascii", "backslashreplace").decode("ascii")

    def sentence(self, text: str) -> str:
        """A message, its symbols in ASCII where the screen has none."""
        return encodable(printable(text), self.encoding)
