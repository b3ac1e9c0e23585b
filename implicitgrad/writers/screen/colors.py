"""Write texts in the colours of a terminal."""

from __future__ import annotations

from rich.color import ColorSystem
from rich.style import Style


def paint(text: str, style: str) -> str:
    """Return a text with the escape sequences of a style, such as ``bold color(28)``, around it."""
    return Style.parse(style).render(text, color_system=ColorSystem.EIGHT_BIT) if style else text
