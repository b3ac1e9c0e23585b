"""A mistake in a claim about a program is recognised: each is made here by a formula of its own."""

from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from conftest import trials
from elimination import inverse, product
from test_program_claims import VERTEX, outcome

Row = list[Fraction]
Rows = list[Row]
ACTIVE = 0
"""The one row of G that is active."""


def numbers(rows: Sequence[Sequence[Any]]) -> Rows:
    return [[Fraction(entry) for entry in row] for row in rows]


P = numbers([[3, 1, 0, 1], [1, 2, 1, 0], [0, 1, 4, 1], [1, 0, 1, 5]])
G = numbers([[1, 2, 1, 1], [2, -1, 3, 0], [1, 1, 1, -1]])
A = numbers([[1, -1, 2, 1]])
Z = numbers([[1, 2, -1, 3]])[0]
LAMBDA, NU = Fraction(23), Fraction(5, 2)
LOSS = numbers([[5, 1, -2, 4]])[0]
SLACKS = [0, 2, 5]


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def outer(a: Sequence[Fraction], b: Sequence[Fraction]) -> Rows:
    return [[x * y for y in b] for x in a]


def plus(*matrices: Rows) -> Rows:
    return [[sum(entries, Fraction(0)) for entries in zip(*rows, strict=True)] for rows in zip(*matrices, strict=True)]


def scaled(factor: Any, rows: Rows) -> Rows:
    return [[Fraction(factor) * entry for entry in row] for row in rows]


def solve(K: Rows, right: Row) -> Row:
    return [row[0] for row in product(inverse(K), [[entry] for entry in right])]


def kkt(Q: Rows, rows: Rows) -> Rows:
    """Return [Q rowsᵀ; rows 0]."""
    above = [[*line, *(row[j] for row in rows)] for j, line in enumerate(Q)]
    return above + [[*row, *[Fraction(0)] * len(rows)] for row in rows]


h = [dot(row, Z) + slack for row, slack in zip(G, SLACKS, strict=True)]
b = [dot(row, Z) for row in A]
q = [-dot(P[j], Z) - LAMBDA * G[ACTIVE][j] - NU * A[0][j] for j in range(4)]
TEXT = "".join(
    f"{key}: {[[str(x) for x in row] for row in value] if isinstance(value[0], list) else [str(x) for x in value]}\n"
    for key, value in {"P": P, "q": q, "G": G, "h": h, "A": A, "b": b, "dL_dz": LOSS}.items()
)


def adjoint(Q: Rows, rows: Rows) -> tuple[Row, Row]:
    """Return OptNet's d_z = −u_z, and u of the rows."""
    u = solve(kkt(Q, rows), LOSS + [Fraction(0)] * len(rows))
    return [-x for x in u[:4]], u[4:]


D_Z, (U_LAMBDA, U_NU) = adjoint(P, [G[ACTIVE], A[0]])
D_LAMBDA = -U_LAMBDA / LAMBDA
D_OF_INACTIVE = [Fraction(0)] + [dot(G[i], D_Z) / SLACKS[i] for i in (1, 2)]
"""d_λ of OptNet's system: G·d_z = slack·d_λ."""
NOTHING = [Fraction(0)] * 4
RIGHT = {
    "z": Z,
    "lambda": [LAMBDA, 0, 0],
    "nu": [NU],
    "dL_dq": D_Z,
    "dL_dh": [U_LAMBDA, 0, 0],
    "dL_db": [U_NU],
    "dL_dP": scaled(Fraction(1, 2), plus(outer(D_Z, Z), outer(Z, D_Z))),
    "dL_dG": [[LAMBDA * d - U_LAMBDA * x for d, x in zip(D_Z, Z, strict=True)], NOTHING, NOTHING],
    "dL_dA": [[NU * d - U_NU * x for d, x in zip(D_Z, Z, strict=True)]],
}


def of_G(first: Fraction, second: Fraction) -> Rows:
    """Return first·zᵀ + second·d_zᵀ in the active row."""
    return [[first * x + second * d for x, d in zip(Z, D_Z, strict=True)], NOTHING, NOTHING]


def program_of_two_P() -> dict[str, Any]:
    """Return the answer to the program of zᵀPz + qᵀz, in which the same constraint is active."""
    Q = scaled(2, P)
    K = kkt(Q, [G[ACTIVE], A[0]])
    y = solve(K, [*(-x for x in q), h[ACTIVE], b[0]])
    assert y[4] > 0
    assert all(dot(row, y[:4]) <= bound for row, bound in zip(G, h, strict=True))
    d_z, (u_lambda, _) = adjoint(Q, [G[ACTIVE], A[0]])
    of_G = [y[4] * d - u_lambda * x for d, x in zip(d_z, y[:4], strict=True)]
    of_P = plus(outer(d_z, y[:4]), outer(y[:4], d_z))  # of the P that stands in zᵀPz
    return {"z": y[:4], "lambda": [y[4], 0, 0], "dL_dq": d_z, "dL_dG": [of_G, NOTHING, NOTHING], "dL_dP": of_P}


def ridge(epsilon: Fraction) -> Row:
    Q = [[x + epsilon * (i == j) for j, x in enumerate(row)] for i, row in enumerate(P)]
    return adjoint(Q, [G[ACTIVE], A[0]])[0]


TWO_P = program_of_two_P()
WITH_INACTIVE = adjoint(P, [G[0], G[2], A[0]])
WITHOUT = adjoint(P, [A[0]])
MISTAKES: dict[str, tuple[str, Any, str]] = {
    "sign of ν": ("nu", [-NU], "nu-sign"),
    "sign of ν in ∂L/∂A": ("dL_dA", [[-NU * d - U_NU * x for d, x in zip(D_Z, Z, strict=True)]], "nu-sign"),
    "sign": ("dL_dq", [-x for x in D_Z], "sign"),
    "sign of λ": ("lambda", [-LAMBDA, 0, 0], "sign"),
    "sign of one entry": ("dL_dq", [-D_Z[0], *D_Z[1:]], "sign"),
    "½ left out, z": ("z", TWO_P["z"], "half"),
    "½ left out, λ": ("lambda", TWO_P["lambda"], "half"),
    "½ left out, ∂L/∂q": ("dL_dq", TWO_P["dL_dq"], "factor"),
    "½ left out, ∂L/∂G": ("dL_dG", TWO_P["dL_dG"], "half"),
    "½ left out of the objective, ∂L/∂P": ("dL_dP", TWO_P["dL_dP"], "half"),
    "λ left out of ∂L/∂h": ("dL_dh", [-D_LAMBDA, 0, 0], "multiplier"),
    "λ left out of ∂L/∂h of inactive rows, too": ("dL_dh", [-D_LAMBDA, *(-x for x in D_OF_INACTIVE[1:])], "multiplier"),
    "λ twice in ∂L/∂h": ("dL_dh", [-LAMBDA * LAMBDA * D_LAMBDA, 0, 0], "multiplier"),
    "λ twice in ∂L/∂G": ("dL_dG", of_G(LAMBDA * D_LAMBDA, LAMBDA * LAMBDA), "multiplier"),
    "λ twice in all of ∂L/∂G": ("dL_dG", of_G(LAMBDA**2 * D_LAMBDA, LAMBDA**2), "multiplier"),
    "λ left out of ∂L/∂G": ("dL_dG", of_G(D_LAMBDA, LAMBDA), "multiplier"),
    "λ left out of the second term": ("dL_dG", of_G(LAMBDA * D_LAMBDA, Fraction(1)), "multiplier"),
    "the first term of ∂L/∂G alone": ("dL_dG", of_G(LAMBDA * D_LAMBDA, Fraction(0)), "multiplier"),
    "the second term of ∂L/∂G alone": ("dL_dG", of_G(Fraction(0), LAMBDA), "multiplier"),
    "λ left out of ∂L/∂G, inactive rows too": (
        "dL_dG",
        plus(outer([D_LAMBDA, *D_OF_INACTIVE[1:]], Z), outer([LAMBDA, Fraction(0), Fraction(0)], D_Z)),
        "multiplier",
    ),
    "a term of ∂L/∂A left out": ("dL_dA", [[NU * d for d in D_Z]], "multiplier"),
    "doubled off-diagonals": (
        "dL_dP",
        [[x * (1 + (i != j)) for j, x in enumerate(row)] for i, row in enumerate(RIGHT["dL_dP"])],
        "off-diagonal",
    ),
    "upper triangle": (
        "dL_dP",
        [[x * (1 + (i != j)) if i <= j else 0 for j, x in enumerate(row)] for i, row in enumerate(RIGHT["dL_dP"])],
        "off-diagonal",
    ),
    "½ left out of the objective": ("objective", dot([dot(row, Z) for row in P], Z) + dot(q, Z), "half"),
    "inactive as an equality, z": (
        "z",
        solve(kkt(P, [G[0], G[2], A[0]]), [*(-x for x in q), h[0], h[2], b[0]])[:4],
        "inactive",
    ),
    "∂L/∂P without ½": ("dL_dP", plus(outer(D_Z, Z), outer(Z, D_Z)), "half"),
    "∂L/∂P not symmetric": ("dL_dP", outer(D_Z, Z), "symmetric"),
    "mean over a batch": ("dL_dq", [x / 8 for x in D_Z], "factor"),
    "mean over a batch, ∂L/∂G": ("dL_dG", scaled(Fraction(1, 32), RIGHT["dL_dG"]), "factor"),
    "inactive as an equality": ("dL_dq", WITH_INACTIVE[0], "inactive"),
    "inactive as an equality, ∂L/∂h": ("dL_dh", [WITH_INACTIVE[1][0], 0, WITH_INACTIVE[1][1]], "inactive"),
    "active left out": ("dL_dq", WITHOUT[0], "active"),
    "ridge": ("dL_dq", ridge(Fraction(1, 10**4)), "ridge"),
    "ridge of 1": ("dL_dq", ridge(Fraction(1)), "ridge"),
    "adjoint left out": ("dL_dq", LOSS, "unsolved"),
    "zeros": ("dL_dq", [0, 0, 0, 0], "zero"),
    "rounding": ("dL_dq", [x * (1 + Fraction(1, 10**6)) for x in D_Z], "rounding"),
}


@pytest.mark.parametrize("key", RIGHT)
def test_the_right_formula_holds(key: str) -> None:
    assert outcome(TEXT, key, RIGHT[key]).holds


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_recognised(name: str) -> None:
    key, claim, code = MISTAKES[name]
    found = outcome(TEXT, key, claim)
    assert not found.holds
    assert [suspicion.code for suspicion in found.suspicions] == [code], found.explanation


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "sign of ν",
            "the claim is −ν: the sign of ν here is that of νᵀ(A·z − b) in the Lagrangian; MathOptInterface has "
            "the other",
        ),
        ("½ left out, z", "the claim is z of the objective zᵀPz + qᵀz: is the ½ left out?"),
        ("λ left out of ∂L/∂h", "the claim is −d_λ, and ∂L/∂h is −λ·d_λ: is λ left out?"),
        (
            "λ twice in ∂L/∂G",
            "the claim is λ∘(d_λ·zᵀ + λ·d_zᵀ), and ∂L/∂G is λ∘d_λ·zᵀ + λ·d_zᵀ: is λ a factor twice, as in "
            "equation 8 of OptNet?",
        ),
        ("inactive as an equality", "the claim is ∂L/∂q with h3 as an equality: h3 is inactive"),
        ("active left out", "the claim is ∂L/∂q without h1: h1 is active"),
        (
            "doubled off-diagonals",
            "the claim has twice the off-diagonal entries: an entry of ∂L/∂P is the derivative in "
            "that entry of P alone, not in it and its mirror image together",
        ),
        ("mean over a batch", "the claim is 1/8 times ∂L/∂q: is it the mean over a batch of 8?"),
        ("ridge", "the claim is ∂L/∂q with P + 1e-4·I in place of P: is a ridge added to P?"),
        ("sign of one entry", "the claim is right but for the sign of ∂L/∂q[z1]"),
        ("rounding", "the claim agrees to a relative 1e-6: if it is only rounded, a tolerance says so (--rtol 1e-6)"),
    ],
)
def test_the_mistake_is_said_in_words(name: str, said: str) -> None:
    key, claim, _ = MISTAKES[name]
    (suspicion,) = outcome(TEXT, key, claim).suspicions
    assert suspicion.message == said


RELU = "P: [[1]]\nq: [0]\nlb: [0]\ndL_dz: [1]\n"
"""max(−q, 0) at 0: the derivative is −1 from the left and 0 from the right."""


@pytest.mark.parametrize(
    ("text", "key", "claim", "code", "said"),
    [
        (
            VERTEX,
            "dL_dh",
            ["1/3", "1/3", "2/3"],
            "minimum-norm",
            "the claim is the minimum-norm choice K⁺·g for ∂L/∂h: the KKT matrix K is singular, and this is one "
            "choice of "
            "many",
        ),
        (
            VERTEX,
            "dL_dh",
            ["1/2", "1/2", "1/2"],
            "average",
            "the claim is the average of the left and the right ∂L/∂h: there is no derivative where the sides differ",
        ),
        (
            VERTEX,
            "dL_dh",
            [1, 1, 1],
            "one-sided",
            "the claim is ∂L/∂h from the left: it holds if it is claimed as {left: ...}",
        ),
        (
            VERTEX,
            "dL_dh",
            [0, 0, 0],
            "one-sided",
            "the claim is ∂L/∂h from the right: it holds if it is claimed as {right: ...}",
        ),
        (
            VERTEX,
            "dL_dh",
            [1, 1, 0],
            "choice",
            "the claim is ∂L/∂h with h1, h2 active and without h3, one choice of several: there is no derivative "
            "where the "
            "sides differ",
        ),
        (
            VERTEX,
            "dL_dh",
            ["0.16", "0.16", "0.84"],
            "between",
            "the claim is between the left and the right ∂L/∂h, as a solver's is: there is no derivative where the "
            "sides "
            "differ",
        ),
        (
            RELU,
            "dL_dq",
            ["-1/2"],
            "average",
            "the claim is the average of the left and the right ∂L/∂q: there is no derivative where the sides differ",
        ),
        (
            RELU,
            "dL_dq",
            [0],
            "one-sided",
            "the claim is ∂L/∂q from the right: it holds if it is claimed as {right: ...}",
        ),
        (
            RELU,
            "dz_dq",
            [[-1]],
            "one-sided",
            "the claim is ∂z/∂q from the left: it holds if it is claimed as {left: ...}",
        ),
        (
            RELU.replace("[0]\nlb", "[-1]\nlb"),
            "dL_dlb",
            [1],
            "inactive",
            "the claim is ∂L/∂lb with lb[z1] as an equality: lb[z1] is inactive",
        ),
    ],
)
def test_a_number_where_there_is_no_derivative_is_explained(
    text: str, key: str, claim: Any, code: str, said: str
) -> None:
    found = outcome(text, key, claim)
    assert not found.holds
    assert [(one.code, one.message) for one in found.suspicions] == [(code, said)]


LINE = "P: [[1, 1], [1, 1]]\nq: [-1, -1]\ndL_dz: [1, 0]\n"
"""Every z with z1 + z2 = 1 is a solution."""


def test_a_choice_among_many_solutions_is_named() -> None:
    epsilon = Fraction(1, 1000)
    with_ridge = [[1 + epsilon, Fraction(1)], [Fraction(1), 1 + epsilon]]
    z, gradient = solve(with_ridge, [Fraction(1)] * 2), [-x for x in solve(with_ridge, [Fraction(1), Fraction(0)])]
    assert outcome(LINE, "z", ["1/2", "1/2"]).holds  # the one of least norm is a solution, one with a ridge is none
    for key, claim in (("z", z), ("dL_dq", gradient)):
        found = outcome(LINE, key, claim)
        assert not found.holds
        assert [one.code for one in found.suspicions] == ["ridge"]
    found = outcome(LINE, "dL_dq", ["-1/4", "-1/4"])
    assert not found.holds
    assert [one.code for one in found.suspicions] == ["minimum-norm"]
    assert outcome(LINE, "dL_dq", ["-1/7", "-1/4"]).suspicions == ()


IN_LETTERS = """\
minimize: (z1 - c*x)^2 + (z2 - y)^2
subject_to: [z1 >= 0]
z: [z1, z2]
at: {c: 2, x: 0, y: 3}
dL_dz: [3, 5]
"""
"""z1 is max(c·x, 0), at its kink in x: its derivative is 0 from the left and 2 from the right."""


@pytest.mark.parametrize(
    ("key", "claim", "code"),
    [
        ("dL_dx", [0, 6, 5], "one-sided"),
        ("dL_dx", [0, 3, 5], "average"),
        ("dL_dx", [0, 1, 5], "between"),
        ("dL_dx", [0, None, -5], "sign"),
        ("dL_dx", {"right": [0, 0, 5]}, "one-sided"),
        ("dz_dx", [[0, 2, 0], [0, 0, 1]], "one-sided"),
    ],
)
def test_mistakes_in_derivatives_in_letters(key: str, claim: Any, code: str) -> None:
    right = {"dL_dx": {"left": [0, 0, 5], "right": [0, 6, 5]}, "dz_dx": [[0, {"right": 2}, 0], [0, 0, 1]]}
    assert outcome(IN_LETTERS, key, right[key]).holds
    found = outcome(IN_LETTERS, key, claim)
    assert not found.holds
    assert [one.code for one in found.suspicions] == [code]


def test_exchanged_sides_are_recognised() -> None:
    found = outcome(RELU, "dL_dq", {"left": [0], "right": [-1]})
    assert [one.message for one in found.suspicions] == [
        "the claim is ∂L/∂q from the right: are left and right exchanged?",
        "the claim is ∂L/∂q from the left: are left and right exchanged?",
    ]


def test_nothing_is_said_of_a_number_outside_of_both_sides() -> None:
    found = outcome(VERTEX, "dL_dh", ["0.16", "0.16", 2])
    assert not found.holds
    assert found.suspicions == ()


def test_each_wrong_loss_is_named() -> None:
    text = TEXT.replace("dL_dz: ['5', '1', '-2', '4']", "dL_dz: [[5, 1, -2, 4], [1, 0, 0, 0]]")
    first, second = D_Z, adjoint_of([Fraction(1), Fraction(0), Fraction(0), Fraction(0)])
    found = outcome(text, "dL_dq", [first, [2 * x for x in second]])
    assert [one.message for one in found.suspicions] == [
        "the claim is 2 times ∂L2/∂q: is it the sum over a batch of 2, or is the ½ of ½·zᵀPz a factor twice?"
    ]
    found = outcome(text, "dL_dq", [second, first])
    assert [one.code for one in found.suspicions] == ["stale", "stale"]


def adjoint_of(loss: Row) -> Row:
    u = solve(kkt(P, [G[ACTIVE], A[0]]), [*loss, Fraction(0), Fraction(0)])
    return [-x for x in u[:4]]


def test_nothing_is_suspected_of_what_is_merely_wrong() -> None:
    for seed in range(trials(6)):
        random = Random(seed)
        for key, right in RIGHT.items():
            rows = right if isinstance(right[0], list) else [right]
            noise = [[Fraction(random.randint(10**6, 10**9), 10**6 + 3) for _ in row] for row in rows]
            for claim in (noise, plus(rows, noise)):
                written = claim if isinstance(right[0], list) else claim[0]
                assert outcome(TEXT, key, written).suspicions == (), (seed, key)
