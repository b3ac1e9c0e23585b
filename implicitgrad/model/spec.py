"""SystemSpec: a system as it is written, with the place of every value in its source."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fractions import Fraction

    from implicitgrad.model.implicit_equations import ImplicitEquations
    from implicitgrad.model.site import Site, Span
    from implicitgrad.model.stack import StackPlace
    from implicitgrad.text.errors import Problem

CLAIMS: tuple[str, ...] = (
    "status", "rank", "dy_dx", "dL_dx", "dL_dA", "dL_dB", "free_parameters", "dL_dx_unique", "constraints",
    "condition", "tolerance",
)  # fmt: skip
"""The keys of ``expect``: what can be claimed of an answer."""


def spelled(key: str) -> str:
    """Return the key for a spelling such as dL/dy or ∂L/∂y."""
    return key.replace("∂", "d").replace("/", "_") if "/" in key else key


UNIQUE_GRADIENT = "unique-dL_dx"
OF_PROGRAMS = ("differentiable", "optimal", "unique-z")
"""Those of quadratic programs: z is differentiable in everything; there is a minimum; z is unique."""
REQUIREMENTS = ("determined", "underdetermined", "overdetermined", "rank-deficient", *OF_PROGRAMS, UNIQUE_GRADIENT)
"""What --require may ask of an answer."""
PROGRAM_MARKS = ("P", "q", "minimize", "maximize")
"""Each of these keys makes a document a quadratic program."""
Path = tuple[int, ...]
"""0-based indices into a value: (1, 2) is the third entry of the second row, () the whole value."""


class CsvFormat(NamedTuple):
    """How a CSV file is written, as stated by the user."""

    delimiter: str | None = None
    """None: by the file's suffix, a comma for .csv and a tab for .tsv."""
    decimal: str = "."
    header: bool | None = None
    """Whether the first row is a header; None: it is if no cell in it is a number."""
    index_column: bool | None = None
    """Whether the first column names the rows; None: it does if no cell in it is a number, or if it is an index."""


UNSTATED = CsvFormat()
"""The user states nothing; a file's suffix and content decide."""


class SourceValue(NamedTuple):
    """The value of one key of a system, as written."""

    value: object
    """Nested lists of texts, or Decimals for a large matrix; from Python also numbers and arrays."""
    source: str | None = None
    """The file or option that messages name."""
    locate: Callable[[Path], tuple[int, int] | None] = lambda path: None
    """The (line, column), 1-based, of the value at a path."""
    key: tuple[int, int] | None = None
    """The place of its key."""
    span: Callable[[Path], Span] | None = None
    """The start and end of the value at a path, if it can be edited there."""
    unit_roundoff: Fraction | None = None
    """The unit roundoff of the floating-point type of an array, or of a record's doubles; None for other values."""
    caveat: str | None = None
    """Why a claim of it that fails is undecided; None if it fails."""
    with_fewer_entries: Callable[[], SourceValue] | None = None
    """Parses the text again with each ambiguous ``a -b`` as one entry instead of two; None if nothing is ambiguous."""
    display: str | None = None
    """The notation of the program whose display it was, if that rounds."""


class NeedsAlgebra(Exception):
    """A system has letters or nonlinear equations, and algebra was not allowed."""


class SystemSpec:
    """A system as written, whose values are not yet checked against one another."""

    kind = "linear"

    def __init__(self, source: str, values: dict[str, SourceValue], name: str) -> None:
        self.source, self.name = source, name
        self.values = values
        """By key: A, B, dL_dy, x, y."""
        self.problems: list[Problem] = []
        """What the reader found wrong without giving up."""
        self.origin: ImplicitEquations | None = None
        """The equations that A and B were computed from, if they say more."""
        self.place: StackPlace | None = None
        """Its place in a stack, if it is in one."""
        self.linearize: Callable[[], None] | None = None
        """Adds A and B of equations that need sympy, or raises InputError; may take long. None if there are none."""
        self.order = 1
        """The highest derivatives of y that are asked for."""
        self.in_letters = False
        """Whether derivatives in the letters of coefficients are asked for."""
        self.shown: tuple[str, ...] = ()
        """Names and patterns of rows and columns of ∂y/∂x, the only ones that are computed of a sparse system."""
        self.no_letters_hint: str | None = None
        """The hint at an expression in place of a number, if expressions are not read here."""
        self.expect: Callable[[], dict[str, SourceValue]] = dict
        """Reads the claims by key (and constraints.matrix and the like); called only to check them."""
        self.site: Callable[[], Site] | None = None
        """Finds the place of ``expect``."""
        self.reread: Callable[[], SystemSpec] | None = None
        """Reads the text again with the slower reader, which knows positions; None if this reader knows them."""
