"""Write the answers of solve to the file of --output."""

from __future__ import annotations

from collections.abc import Sequence

from implicitgrad.cli.answers.answer import Answer
from implicitgrad.terminal.files import write_file
from implicitgrad.terminal.streams import say


def write_answers(file: str, answers: Sequence[Answer], text: str, sources: Sequence[str | int]) -> None:
    """Write the text of all answers, or the bytes of the only one. sources : files that are never overwritten."""
    written = answers[0].written
    write_file(file, text if isinstance(written, str) else memoryview(written), sources)
    for answer in answers:
        if answer.note is not None:
            say(answer.note)
