"""The one table of systems: every verdict, every shape, and the edges; and one quadratic program."""

from dataclasses import dataclass

Rows = list[list[str]]


def rows(text: str) -> Rows:
    """``1 2; 3 4`` as nested lists of texts."""
    return [row.split() for row in text.split(";")]


@dataclass(frozen=True)
class Case:
    name: str
    A: Rows
    status: str
    rank: int
    dL_dy: list[str] | Rows | None = None
    B: Rows | None = None

    def __str__(self) -> str:
        return self.name


CASES = [
    Case("one by one", rows("4"), "determined", 1, ["3"]),
    Case("one by one, zero", rows("0"), "rank-deficient", 0, ["3"]),
    Case("two equations", rows("1 2; 3 4"), "determined", 2, ["1", "1"]),
    Case("needs a row exchange", rows("0 1; 1 0"), "determined", 2, ["2", "3"]),
    Case("wide", rows("3 5"), "underdetermined", 1, ["7", "11"]),
    Case("wide, gradient in the row space", rows("3 5"), "underdetermined", 1, ["6", "10"]),
    Case("wide, two equations", rows("1 2 0; 0 1 1"), "underdetermined", 2, ["1", "1", "1"]),
    Case("wide, one unknown determined", rows("1 0 0; 0 2 3"), "underdetermined", 2, ["5", "2", "3"]),
    Case("wide, last unknown absent", rows("1 2 0; 3 4 0"), "underdetermined", 2, ["1", "1", "0"]),
    Case("wide, first unknown absent", rows("0 1 2; 0 3 4"), "underdetermined", 2, ["1", "1", "0"]),
    Case("tall", rows("1 0; 0 1; 1 1"), "overdetermined", 2, ["6", "10"]),
    Case("tall, one column", rows("2; 4; 0"), "overdetermined", 1, ["1"]),
    Case("tall, one input unconstrained", rows("1 0; 0 1; 0 2"), "overdetermined", 2, ["1", "1"]),
    Case("singular", rows("1 2; 2 4"), "rank-deficient", 1, ["1", "0"]),
    Case("singular, gradient in the row space", rows("1 2; 2 4"), "rank-deficient", 1, ["1", "2"]),
    Case("incidence matrix", rows("1 0 -1; -1 1 0; 0 -1 1"), "rank-deficient", 2, ["1", "1", "1"]),
    Case("zero", rows("0 0; 0 0"), "rank-deficient", 0, ["1", "1"]),
    Case("zero, wide", rows("0 0 0"), "rank-deficient", 0, ["0", "0", "0"]),
    Case("fractions and decimals", rows("1/3 0.25; -2e-1 7"), "determined", 2, ["1/7", "1e3"]),
    Case("huge", rows("1e308 -1e308; 1e308 1e308"), "determined", 2, ["1", "1"]),
    Case("tiny", rows("1e-320 0; 0 1"), "determined", 2, ["1", "1"]),
    Case("badly scaled", rows("1e150 1; 1 1e-149"), "determined", 2, ["1", "1"]),
    Case("nearly singular", rows("1 1; 1 1.0000000000000000001"), "determined", 2, ["1", "1"]),
    Case("explicit", rows("1"), "determined", 1, ["4"], rows("2 3")),
    Case("square with B", rows("2 1; 1 3"), "determined", 2, ["1", "1"], rows("1 0 2; 0 1 5")),
    Case("wide with B", rows("1 1 1"), "underdetermined", 1, ["1", "1", "1"], rows("1 2")),
    Case("tall, B in the range of A", rows("1; 2"), "determined", 1, ["3"], rows("3; 6")),
    Case("singular, B in the range of A", rows("1 2; 2 4"), "underdetermined", 1, ["1", "0"], rows("1 0; 2 0")),
    Case("singular, B partly in the range", rows("1 0; 0 0"), "rank-deficient", 1, ["1", "1"], rows("1 0 0; 0 1 1")),
    Case("zero B", rows("1 2; 3 4"), "determined", 2, ["1", "1"], rows("0; 0")),
    Case("several losses", rows("2 1; 1 3"), "determined", 2, rows("1 0; 0 1; 1 1")),
    Case("several losses, some unique", rows("3 5"), "underdetermined", 1, rows("6 10; 7 11")),
    Case("no gradient", rows("1 2; 3 4"), "determined", 2),
]

BAKERY = """\
P: [[2, 0], [0, 2]]
q: [-2, -5]
G: [[1, 2], [-1, 2], [-1, -2]]
h: [6, 2, 2]
lb: 0
names: {z: [bread, cake], G: [flour, oven, labour]}
dL_dz: [1, 1]
"""
