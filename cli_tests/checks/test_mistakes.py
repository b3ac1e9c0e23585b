"""A mistake is recognised where it explains a claim whole, and nothing is suggested where none does."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from conftest import Run, examples
from elimination import inverse, product, rank, transpose
from hypothesis import assume, example, given
from hypothesis import strategies as st

from implicitgrad import check
from implicitgrad.model.verdict import Suspicion

entries = st.integers(-9, 9).map(Fraction)
generic = st.integers(10**6, 10**9).map(lambda n: Fraction(n, 10**6 + 3))
"""Numbers that no product of the entries above is equal to by chance."""


@st.composite
def square_systems(draw: st.DrawFn, smallest: int = 2) -> tuple[list[list[Fraction]], list[Fraction]]:
    n = draw(st.integers(smallest, 4))
    A = draw(st.lists(st.lists(entries, min_size=n, max_size=n), min_size=n, max_size=n))
    g = draw(st.lists(entries, min_size=n, max_size=n))
    assume(rank(A) == n)
    return A, g


def times(X: Sequence[Sequence[Fraction]], v: Sequence[Fraction]) -> list[Fraction]:
    return [row[0] for row in product(X, [[value] for value in v])]


def gradient(A: list[list[Fraction]], g: list[Fraction]) -> list[Fraction]:
    return times(transpose(inverse(A)), g)


def suspicions(A: Any, g: Any, key: str = "dL_dx", **claims: Any) -> list[Suspicion]:
    verdict = check(A, g, **claims)
    (outcome,) = [outcome for outcome in verdict.outcomes if outcome.key == key]
    return list(outcome.suspicions)


def has_same_sizes(v: Sequence[Fraction], w: Sequence[Fraction]) -> bool:
    return list(map(abs, v)) == list(map(abs, w))


def wrong_gradients(A: list[list[Fraction]], g: list[Fraction]) -> dict[str, list[Fraction]]:
    right = gradient(A, g)
    return {
        "sign": [-value for value in right],
        "transpose": times(inverse(A), g),
        "explicit": times(transpose(A), g),
        "unsolved": g,
        "factor": [2 * value for value in right],
        "permuted": right[1:] + right[:1],
    }


@given(square_systems(), st.data())
@examples(200)
def test_each_mistake_in_a_gradient_is_recognised(
    system: tuple[list[list[Fraction]], list[Fraction]], data: st.DataObject
) -> None:
    A, g = system
    wrong = wrong_gradients(A, g)
    mistake = data.draw(st.sampled_from(sorted(wrong)))
    claim = wrong[mistake]
    same = [code for code, vector in wrong.items() if vector == claim]
    assume(claim != gradient(A, g))
    assume(any(claim))
    (found,) = suspicions(A, g, dL_dx=claim)
    negative = {code for code, vector in wrong.items() if [-value for value in vector] == claim}
    multiples = {"factor"} if len({a / b for a, b in zip(claim, gradient(A, g), strict=True) if b}) == 1 else set()
    flipped = {"sign"} if has_same_sizes(claim, gradient(A, g)) else set()
    forward = times(A, g)
    explicit = {"explicit"} if claim in (forward, [-value for value in forward]) else set()
    assert found.code in {*same, *negative, *multiples, *flipped, *explicit}


@given(square_systems(), st.data())
@examples(100)
def test_nothing_is_suspected_of_what_is_right_or_merely_wrong(
    system: tuple[list[list[Fraction]], list[Fraction]], data: st.DataObject
) -> None:
    A, g = system
    n = len(A)
    assert check(A, g, dL_dx=gradient(A, g), dy_dx=inverse(A))
    random = data.draw(st.lists(generic, min_size=n, max_size=n, unique=True))
    assert suspicions(A, g, dL_dx=random) == []
    noise = data.draw(st.lists(generic, min_size=n, max_size=n, unique=True))
    assert suspicions(A, g, dL_dx=[a + b for a, b in zip(gradient(A, g), noise, strict=True)]) == []
    J = [data.draw(st.lists(generic, min_size=n, max_size=n)) for _ in range(n)]
    assume(len({value for row in J for value in row}) == n * n)
    assert suspicions(A, g, "dy_dx", dy_dx=J) == []
    one_wrong = gradient(A, g)
    one_wrong[data.draw(st.integers(0, n - 1))] += noise[0]
    assert suspicions(A, g, dL_dx=one_wrong) == []


@given(square_systems(smallest=1))
@examples(50)
def test_a_flipped_sign_is_recognised_in_one_unknown_too(
    system: tuple[list[list[Fraction]], list[Fraction]],
) -> None:
    A, g = system
    assume(any(g))
    (found,) = suspicions(A, g, dL_dx=[-value for value in gradient(A, g)])
    assert found == Suspicion("sign", "the claim is the negative of ∂L/∂x: is a sign flipped?")
    (found,) = suspicions(A, g, "dy_dx", dy_dx=[[-value for value in row] for row in inverse(A)])
    assert found.code == "sign"


@given(square_systems(), st.data())
@examples(150)
def test_each_mistake_in_a_jacobian_is_recognised(
    system: tuple[list[list[Fraction]], list[Fraction]], data: st.DataObject
) -> None:
    A, g = system
    J = inverse(A)
    wrong = {
        "transpose": transpose(J),
        "explicit": data.draw(st.sampled_from([A, transpose(A)])),
        "factor": [[value / 2 for value in row] for row in J],
        "permuted": data.draw(st.sampled_from([J[1:] + J[:1], [row[1:] + row[:1] for row in J]])),
    }
    mistake = data.draw(st.sampled_from(sorted(wrong)))
    claim = wrong[mistake]
    assume(claim != J)
    same = {code for code, matrix in wrong.items() if matrix == claim}
    codes = {suspicion.code for suspicion in suspicions(A, g, "dy_dx", dy_dx=claim)}
    negative = {"sign"} if all(map(has_same_sizes, claim, J)) else set()
    also = {"factor", "explicit", "transpose", "permuted"} if rank(A) and _is_special(A) else set()
    assert codes
    assert codes <= same | negative | also


def _is_special(A: list[list[Fraction]]) -> bool:
    """Whether A is like its transpose or inverse, so that one mistake is another."""
    J = inverse(A)
    kinds = [sorted(map(abs, (value for row in X for value in row))) for X in (A, J)]
    return kinds[0] == kinds[1] or len(set(kinds[0])) < len(kinds[0])


@pytest.mark.parametrize(
    ("A", "g", "claims", "message"),
    [
        ([[1, 2], [3, 4]], [1, 2], {"dL_dx": [0, "1/2"]}, "the claim equals A⁻¹·∂L/∂y: was the transpose forgotten?"),
        ([[1, 2], [3, 4]], [1, 2], {"dL_dx": [0, "-1/2"]},
         "the claim equals -A⁻¹·∂L/∂y: was the transpose forgotten? And is a sign flipped?"),
        ([[1, 2], [3, 4]], [1, 2], {"dL_dx": [7, 10]},
         "the claim equals Aᵀ·∂L/∂y: was the explicit direction taken for the implicit one?"),
        ([[1, 2], [3, 4]], [1, 2], {"dL_dx": [5, 11]},
         "the claim equals A·∂L/∂y: was the explicit direction taken for the implicit one?"),
        ([[1, 2], [3, 4]], [1, 2], {"dL_dx": [1, 2]}, "the claim equals ∂L/∂y: was the solution with Aᵀ left out?"),
        ([[1, 2], [3, 4]], [1, 1], {"dL_dx": ["-1/6", "1/6"]},
         "the claim is 1/3 times ∂L/∂x: is a factor of 3 missing?"),
        ([[1, 2], [3, 5]], [3, 1], {"dL_dx": [-24, 10]}, "the claim is 2 times ∂L/∂x: is a factor of 2 too many?"),
        ([[1, 2], [3, 4]], [5, 1], {"dL_dx": ["9/2", "-17/2"]},
         "the claim's entries are right in another order: ∂L/∂x2, ∂L/∂x1"),
        ([[2, 1], [1, 3]], [[1, 0], [0, 1]], {"dL_dx": [["-1/5", "2/5"], ["-1/5", "2/5"]]},
         "the claim equals ∂L2/∂x: is it the gradient of another loss?"),
        ([[3]], [1], {"dL_dx": ["0.33334"]},
         "the claim agrees to a relative 1e-4: if it is only rounded, a tolerance says so (rtol=1e-4)"),
        ([[1, 2], [3, 5]], [3, 1], {"dy_dx": [[-5, 3], [2, -1]]},
         "the claim is the transpose of a valid ∂y/∂x: has it a row for each unknown y?"),
        ([[1, 2], [3, 5]], [3, 1], {"dy_dx": [[1, 2], [3, 5]]},
         "the claim equals A: was the explicit direction taken for the implicit one?"),
        ([[1, 2], [3, 5]], [3, 1], {"dy_dx": [[-1, -2], [-3, -5]]},
         "the claim equals -A: was the explicit direction taken for the implicit one? And is a sign flipped?"),
        ([[1, 2], [3, 5]], [3, 1], {"dy_dx": [[2, -5], [-1, 3]]},
         "the claim's columns are those of a valid ∂y/∂x in the order x2, x1"),
        ([[1, 2], [3, 5]], [3, 1], {"dy_dx": [[3, -1], [-5, 2]]},
         "the claim's rows are those of ∂y/∂x in the order y2, y1"),
        ([[3, 5]], [7, 11], {"dy_dx": [["-1/6"], ["-1/10"]]},
         "the claim is the negative of a valid ∂y/∂x: is a sign flipped?"),
        ([[3, 5]], [7, 11], {"dy_dx": [[3], [5]]},
         "the claim equals Aᵀ: was the explicit direction taken for the implicit one?"),
        ([[3, 5]], [7, 11], {"dy_dx": [["1/5"], [0]]}, "with the rows of y1 and y2 exchanged the claim is valid"),
        ([[2, 1], [1, 3]], [[1, 0], [0, 1]], {"dL_dx": [["-1/5", "2/5"], ["3/5", "-1/5"]]},
         "the claim's rows are right in another order: ∂L2/∂x, ∂L1/∂x"),
        ([[1, 2], [3, 5]], [3, 1], {"dL_dx": [-12, -5]}, "the claim is right but for the sign of ∂L/∂x2"),
        ([[1, 2], [3, 5]], [3, 1], {"dy_dx": [[-5, 2], [-3, -1]]}, "the claim is right but for the sign of ∂y2/∂x1"),
        ([[1, 2], [3, 5]], [3, 1], {"dy_dx": [[5, -3], [-2, 1]]},
         "the claim is the negative transpose of a valid ∂y/∂x"),
        ([[3, 5]], [6, 10], {"dL_dx": [-2]}, "the claim is the negative of ∂L/∂x: is a sign flipped?"),
    ],
)  # fmt: skip
def test_the_mistake_is_said_in_words(A: Any, g: Any, claims: dict[str, Any], message: str) -> None:
    (found,) = suspicions(A, g, next(iter(claims)), **claims)
    assert found.message == message


def test_with_inputs_of_its_own_the_mistakes_are_those_with_B() -> None:
    A, B, g = [[1, 2], [3, 5]], [[1, 0, 2], [0, 1, 5]], [3, 1]
    inverse_of_A, Bt = inverse([[Fraction(a) for a in row] for row in A]), transpose(B)
    wrong = {
        "transpose": times(Bt, times(inverse_of_A, [Fraction(v) for v in g])),
        "explicit": times(Bt, times(transpose(A), g)),
        "unsolved": times(Bt, g),
    }
    for code, claim in wrong.items():
        (found,) = check(A, g, B=B, dL_dx=claim).failures[0].suspicions
        assert found.code == code
    (found,) = check([[1, 2], [3, 5]], g, B=[[1, 1], [0, 2]], dL_dx=[-12, 5]).failures[0].suspicions
    assert found.message == "the claim equals (Aᵀ)⁻¹·∂L/∂y: was the product with Bᵀ left out?"
    (found,) = check([[1, 2], [3, 5]], g, B=[[1, 1], [0, 2]], dL_dx=[-7, 10]).failures[0].suspicions
    assert found.message == "the claim equals B·(Aᵀ)⁻¹·∂L/∂y: was the transpose forgotten?"
    (found,) = check([[1, 2], [3, 5]], B=[[1, 1], [0, 2]], dy_dx=[[-5, 2], [3, -1]]).failures[0].suspicions
    assert found.message == "the claim equals A⁻¹: was the product with B left out?"
    (found,) = check([[1, 2], [3, 5]], B=[[1, 1], [0, 2]], dy_dx=[[-5, 1], [2, 0]]).failures[0].suspicions
    assert found.message == "the claim equals (Aᵀ)⁻¹·B: is a transpose too many?"
    (found,) = check([[1, 2], [3, 5]], B=[[1, 1], [0, 2]], dy_dx=[[-2, 1], [6, -2]]).failures[0].suspicions
    assert found.message == "the claim equals B·A⁻¹: are the factors exchanged?"
    J = [[1, 2, 12], [3, 5, 31]]  # A·B
    (found,) = check(A, g, B=B, dy_dx=J).failures[0].suspicions
    assert found.message.startswith("the claim equals A·B: ")
    (found,) = check(A, g, B=B, dy_dx=B).failures[0].suspicions
    assert found.message == "the claim equals B: was the solution with A left out?"


def test_what_says_too_little_is_not_called_a_multiple() -> None:
    assert suspicions([[1, 2], [2, 4]], [1, 2], "dy_dx", dy_dx=[[1, 7], [0, 8]]) == []
    assert suspicions([[2]], [3], dL_dx=[7]) == []
    (found,) = check([[3, 2], [1, 13]], [100, 270], dL_dx=["27.838", "16.486"], rtol=0).failures[0].suspicions
    assert found.code == "rounding"


def test_a_claim_of_zeros_is_called_that_and_a_zero_gradient_is_no_mistake_by_name() -> None:
    message = "the claim is 0 throughout: was the gradient cut off before it came here?"
    assert suspicions([[0, 1], [1, 0]], [1, 1], dL_dx=[0, 0]) == [("zero", message)]
    assert [code for code, _ in suspicions([[1, 2], [3, 4]], [1, 1], "dy_dx", dy_dx=[[0, 0], [0, 0]])] == ["zero"]
    assert suspicions([[1, 2], [3, 4]], [0, 0], dL_dx=[1, 2]) == []


IDENTITY = [[int(i == j) for j in range(5)] for i in range(5)]


@pytest.mark.parametrize(
    ("A", "g", "claims", "message"),
    [
        ([[1]], [1], {"dL_dx": ["1.00001"]},
         "the claim agrees to a relative 1e-5: if it is only rounded, a tolerance says so (rtol=1e-5)"),
        ([[3]], None, {"dy_dx": [["0.33334"]]},
         "the claim agrees to a relative 1e-4: if it is only rounded, a tolerance says so (rtol=1e-4)"),
        ([[1, 2], [3, 5]], [3, 1], {"dL_dx": ["-6.0", "2.5"]},
         "the claim is 1/2 times ∂L/∂x: is a factor of 2 missing?"),
        (IDENTITY, [2, 3, 5, 7, 11], {"dL_dx": [2, -3, -5, -7, -11]},
         "the claim is right but for the sign of ∂L/∂x2, ∂L/∂x3, ∂L/∂x4 and 1 more"),
        ([[1]], [[0], [1]], {"dL_dx": [[1], [1]]}, "the claim equals ∂L2/∂x: is it the gradient of another loss?"),
        ([[1, 1]], [[1, 0], [0, 1]], {"dL_dx": [["2/3"], ["2/3"]], "dy_dx": [["1/3"], ["2/3"]]},
         "the claim equals ∂L2/∂x: is it the gradient of another loss?"),
    ],
)  # fmt: skip
def test_the_mistake_is_said_in_full(A: Any, g: Any, claims: dict[str, Any], message: str) -> None:
    found = suspicions(A, g, next(iter(claims)), **claims)
    assert [suspicion.message for suspicion in found] == [message]


@pytest.mark.parametrize(
    ("A", "g", "claims"),
    [
        ([[3]], [1], {"dL_dx": ["0.33337"]}),
        ([[1]], [1], {"dL_dx": [3]}),
        ([[1, 2], [3, 5]], [3, 1], {"dL_dx": ["-60.0", "25.0"]}),
        ([[1, 2], [2, 4]], None, {"dy_dx": [[3, 0], [0, 0]]}),
        ([[1, 2], [2, 4]], None, {"dy_dx": [[0, 0], [0, 1]]}),
    ],
)
def test_no_mistake_is_named_where_the_numbers_do_not_say_which(A: Any, g: Any, claims: dict[str, Any]) -> None:
    assert suspicions(A, g, next(iter(claims)), **claims) == []


@pytest.mark.parametrize(
    ("A", "B", "g", "claims"),
    [
        ([[1, 1]], [[0, 0]], None, {"dy_dx": [[1, -1], [2, -2]]}),
        ([[3, 5]], [[1, 2]], None, {"dy_dx": [[0, 0], ["1/5", "-2/5"]]}),
    ],
)
def test_no_mistake_is_named_that_would_explain_anything(A: Any, B: Any, g: Any, claims: dict[str, Any]) -> None:
    (failed,) = check(A, g, B=B, **claims).failures
    assert failed.suspicions == ()


def test_a_forgotten_transpose_is_recognised_in_any_square_jacobian() -> None:
    (failed,) = check([[1, 2], [3, 5]], [3, 1], B=[[1, 2], [0, 1]], dL_dx=[-23, 14]).failures
    assert [suspicion.message for suspicion in failed.suspicions] == [
        "the claim equals ∂y/∂x·∂L/∂y: was the transpose forgotten?"
    ]
    claims = {"dy_dx": [[1, 3], [0, 0]], "dL_dx": [7, 0]}
    (failed,) = check([[1, 2], [2, 4]], [1, 2], B=[[1, 3], [2, 6]], **claims).failures
    assert [suspicion.message for suspicion in failed.suspicions] == [
        "the claim equals ∂y/∂x·∂L/∂y: was the transpose forgotten?"
    ]


@pytest.mark.parametrize(
    ("A", "claims", "messages"),
    [
        ([[2, 1], [1, 3]], {"dy_dx": [["0.60000002", "-0.2"], ["-0.2", "0.40000001"]]},
         ["the claim agrees to a relative 1e-7: if it is only rounded, a tolerance says so (rtol=1e-7)"]),
        ([[1, 1], [1, "1.1"]], {"dy_dx": [["11.1", "-10.0"], ["-10.0", "10.0"]]}, []),
        ([[100, 100], [100, "100.1"]], {"dy_dx": [["10.0", "-10.1"], ["-10.0", "10.1"]]}, []),
        ([[1, 1], [1, "1.001"]], {"dy_dx": [["-951.0", "1000.0"], ["950.0", "-1000.0"]]}, []),
        ([[1, 1], [1, "1.1"]], {"dy_dx": [["-10.0", "11.1"], ["10.0", "-10.0"]]}, []),
        ([["499/500", 1], [1, "7/10"]],
         {"dy_dx": [["3500/4521", "-5000/4521"], ["-5000/4521", "4990/4521"]], "atol": "0.1"},
         ["the claim is -1/3 times a valid ∂y/∂x: is a factor of 3 missing?"]),
    ],
)  # fmt: skip
def test_of_an_ill_conditioned_jacobian_nothing_is_suspected_that_is_not_so(
    A: Any, claims: dict[str, Any], messages: list[str]
) -> None:
    assert [suspicion.message for suspicion in suspicions(A, None, "dy_dx", **claims)] == messages


@pytest.mark.parametrize(
    ("A", "g", "claims", "agreement", "advice"),
    [
        ([[1]], [1], {"dL_dx": ["0.99999"]}, "a relative 1e-4", {"rtol": "1e-4"}),
        ([[1, 0], [0, 1]], [1, 0], {"dL_dx": ["1", "0.000000001"]}, "an absolute 1e-9", {"atol": "1e-9"}),
        ([[1, 0], [0, 1]], [1, 0], {"dL_dx": ["1.000001", "0.000000001"]},
         "a relative 1e-6 and an absolute 1e-9", {"rtol": "1e-6", "atol": "1e-9"}),
        ([[1, 0], [0, 3]], None, {"dy_dx": [["1", "0"], ["0", "0.33333334"]]}, "a relative 1e-7", {"rtol": "1e-7"}),
        ([[3, 5]], None, {"dy_dx": [["0.1666667"], ["0.1000001"]]}, "a relative 1e-6", {"rtol": "1e-6"}),
        ([[1, 1]], [1, 2], {"dL_dx": ["1.0000001"], "dy_dx": [[1], [0]]}, "a relative 1e-7", {"rtol": "1e-7"}),
        ([[1]], [100], {"dL_dx": ["100.002"], "atol": "0.001"}, "a relative 1e-4", {"rtol": "1e-4", "atol": "0.001"}),
    ],
)  # fmt: skip
def test_the_tolerance_that_is_advised_for_a_rounded_claim_suffices(
    A: Any, g: Any, claims: dict[str, Any], agreement: str, advice: dict[str, str]
) -> None:
    (found,) = suspicions(A, g, next(iter(claims)), **claims)
    stated = {key: value for key, value in advice.items() if claims.get(key) != value}
    arguments = ", ".join(f"{key}={value}" for key, value in stated.items())
    assert found.message == f"the claim agrees to {agreement}: if it is only rounded, a tolerance says so ({arguments})"
    assert check(A, g, **{**claims, **advice})


@pytest.mark.parametrize(
    ("A", "B", "g", "claims", "message"),
    [
        ([[1], [1]], None, [[2], [3]], {"dL_dx": [[3], [3]]},
         "the claim equals ∂L2/∂x: is it the gradient of another loss?"),
        ([[1, 2], [3, 4], [4, 6]], None, None, {"dy_dx": [[-2, 0, 1], ["3/2", 0, "-1/2"]]},
         "with the columns of x2 and x3 exchanged the claim is valid"),
        ([[1, 2], [3, 4], [4, 6]], None, [1, 3], {"dL_dx": ["-5/2", "1/2", 2]},
         "with the entries of x1 and x2 exchanged the claim is valid"),
        ([[1, 2], [3, 4], [4, 6]], None, [1, 3], {"dL_dx": ["1/2", "-5/2", -2]},
         "the claim is right but for the sign of ∂L/∂x3"),
        ([[1, 1, 0], [0, 0, 1], [0, 0, 1]], None, None, {"dy_dx": [[4, -3, 0], [1, 2, 3], [0, -3, -2]]},
         "the claim is the transpose of a valid ∂y/∂x: has it a row for each unknown y?"),
        ([[1, 0], [0, 1]], [[1, 1, 5], [2, 2, 7]], None, {"dy_dx": [[5, 1, 1], [7, 2, 2]]},
         "the claim's columns are those of a valid ∂y/∂x in the order x3, x2, x1"),
    ],
)  # fmt: skip
def test_a_mistake_is_recognised_in_a_claim_as_it_was_written(
    A: Any, B: Any, g: Any, claims: dict[str, Any], message: str
) -> None:
    (failed,) = check(A, g, B=B, **claims).failures
    assert [suspicion.message for suspicion in failed.suspicions] == [message]


def test_of_several_losses_each_is_told_its_own_mistake() -> None:
    A, g = [[2, 1], [1, 3]], [[1, 0], [0, 1], [1, 1]]
    (failed,) = check(A, g, dL_dx=[["-3/5", "1/5"], ["-1/5", "2/5"], ["9/10", "1/3"]]).failures
    assert [suspicion.message for suspicion in failed.suspicions] == [
        "the claimed ∂L1/∂x is the negative of ∂L/∂x: is a sign flipped?"
    ]
    (failed,) = check(A, g, dL_dx=[["-3/5", "1/5"], ["1/5", "-2/5"], ["-2/5", "-1/5"]]).failures
    assert [suspicion.message for suspicion in failed.suspicions] == [
        "the claim is the negative of ∂L/∂x: is a sign flipped?"
    ]


Rows = list[list[Fraction]]


@st.composite
def wrong_claims(draw: st.DrawFn) -> tuple[Any, Any, str, Rows, Fraction, Rows | None]:
    """A, ∂L/∂y, what is claimed and within what, mistaken or not, and a ∂y/∂x that is claimed with it."""
    shape = st.tuples(st.integers(1, 3), st.integers(1, 3))
    M, N = draw(shape)
    scale = draw(st.sampled_from([1, 1, 100]))  # a small change to a matrix of ones is ill-conditioned
    A = [[Fraction(draw(entries), scale) + (scale > 1) for _ in range(N)] for _ in range(M)]
    if draw(st.booleans()):
        A.append([sum(column, Fraction(0)) for column in zip(*A, strict=True)])
    g = [[draw(entries) for _ in range(N)] for _ in range(draw(st.integers(1, 2)))]
    general = check(A, g, rank=0).solution.general
    free = [[draw(entries) for _ in general.particular[0]] for _ in general.free]
    shifts = product(general.null_space, free) if free else [[Fraction(0)] * len(general.particular[0])] * N
    J = [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(general.particular, shifts, strict=True)]
    assume(J[0])
    D = product(g, J)
    key = draw(st.sampled_from(["dy_dx", "dL_dx"]))
    X = J if key == "dy_dx" else D
    extra = len(A) - len(X[0])
    if extra and draw(st.booleans()):
        X = _widened(X, check(A, g, rank=0).solution, [[draw(entries) for _ in range(extra)] for _ in X])
    factor = draw(st.sampled_from([1, 1, -1, 2, Fraction(1, 3), Fraction(-3, 2)]))
    X = [[factor * value for value in row] for row in X]
    if draw(st.booleans()) and len(X) == len(X[0]):
        X = transpose(X)
    X = [X[i] for i in draw(st.permutations(range(len(X))))] if draw(st.booleans()) else X
    if draw(st.booleans()):
        X = transpose([transpose(X)[j] for j in draw(st.permutations(range(len(X[0]))))])
    places = draw(st.sampled_from([None, 0, 1, 3, 6]))
    tolerance = Fraction(0) if places is None else Fraction(1, 2 * 10**places)
    X = X if places is None else [[Fraction(round(value * 10**places), 10**places) for value in row] for row in X]
    X[0][0] += draw(st.sampled_from([Fraction(0), 2 * tolerance, Fraction(1, 10**8)]))
    return A, g, key, X, tolerance, J if key == "dL_dx" and not places and draw(st.booleans()) else None


def _widened(X: Rows, solution: Any, dependent: Rows) -> Rows:
    """A column for each input, those of the dependent ones at will."""
    ties = solution.constraints
    rows = []
    for row, chosen in zip(X, dependent, strict=True):
        moved = times(transpose([list(tie) for tie in ties.matrix]), chosen)
        by_name = dict(zip(solution.independent, [a - b for a, b in zip(row, moved, strict=True)], strict=True))
        by_name |= dict(zip(ties.dependent, chosen, strict=True))
        rows.append([by_name[name] for name in solution.x])
    return rows


def _undone(X: Rows, message: str) -> tuple[Rows, Fraction] | None:
    """A claim without the mistake, and what its tolerance is to be multiplied with; None where that says nothing."""
    one = Fraction(1)
    if "the claim is the negative of" in message:
        return [[-value for value in row] for row in X], one
    if "is the transpose of" in message:
        return transpose(X), one
    if "is the negative transpose of" in message:
        return transpose([[-value for value in row] for row in X]), one
    if found := re.search(r"the claim is (\S+) times", message):
        assume("≈" not in found[1])
        factor = Fraction(found[1])
        return [[value / factor for value in row] for row in X], min(one, 1 / abs(factor))
    if "for the sign of" in message:
        cells = re.findall(r"∂(y\d+|L\d*)/∂x(\d+)", message)
        changed = [list(row) for row in X]
        for name, j in cells:
            i = int(name[1:] or 1) - 1 if len(X) > 1 else 0
            changed[i][int(j) - 1] *= -1
        return changed, one
    if "exchanged the claim is valid" in message or "order" in message:
        by_columns = "column" in message or "entries" in message
        rows = transpose(X) if by_columns else X
        where = message.split("in the order " if "in the order " in message else "order: ")[-1]
        names = [int(n) - 1 for n in re.findall(r"(?:∂L/∂x|x|y|∂L)(\d+)", where)]
        order = names if "order" in message else list(range(len(rows)))
        if "exchanged" in message:
            i, k = names
            order[i], order[k] = k, i
        moved = [rows[order.index(i)] for i in range(len(rows))]
        return (transpose(moved) if by_columns else moved), one
    return None


@given(wrong_claims())
@example(([[0], [1]], [[1], [1]], "dL_dx", [[Fraction(2)], [Fraction(1)]], Fraction(1, 2), None))
@example(([[-3, 5, 2]], [[0, 0, 0]], "dy_dx", [[Fraction(1, 10**8)], [Fraction(-3, 10)], [1]], Fraction(1, 20), None))
@examples(250)
def test_a_claim_holds_without_the_mistake_that_is_named(
    case: tuple[Any, Any, str, Rows, Fraction, Rows | None],
) -> None:
    A, g, key, X, tolerance, J = case
    also = {} if J is None else {"dy_dx": J}
    verdict = check(A, g, **{**also, key: X}, atol=tolerance)
    (outcome,) = [outcome for outcome in verdict.outcomes if outcome.key == key]
    if outcome.holds:
        assert outcome.suspicions == ()
        return
    for _, message in outcome.suspicions:
        if stated := dict(re.findall(r"([ra]tol)=(\S+)[,)]", message)):
            assert outcome_of(check(A, g, **{**also, key: X}, **{"atol": tolerance, **stated}), key).holds
            continue
        undone = None if "the claimed" in message else _undone(X, message)
        if undone is None:
            continue
        right, by = undone
        assert right != X
        whole = [(right, tolerance * by), (right, tolerance)]
        if key == "dL_dx" and len(X) > 1 and len(right) == len(X):  # it is said of one loss
            whole += [([*X[:k], right[k], *X[k + 1 :]], tolerance) for k in range(len(X))]
        assert any(outcome_of(check(A, g, **{**also, key: one}, atol=t), key).holds for one, t in whole), message


def outcome_of(verdict: Any, key: str) -> Any:
    (outcome,) = [outcome for outcome in verdict.outcomes if outcome.key == key]
    return outcome


def test_a_wrong_claim_of_sixteen_unknowns_like_nothing_is_told_nothing() -> None:
    A = [[(7 * i * i + 3 * j * j + i * j) % 19 - 9 for j in range(16)] for i in range(8)]
    claim = [[Fraction((5 * i + 11 * j) % 23 - 11, 1 + (i + j) % 7) for j in range(8)] for i in range(16)]
    (failed,) = check(A, dy_dx=claim).failures
    assert failed.suspicions == ()


def test_the_gradient_of_any_loss_of_another_document_is_recognised(run: Run) -> None:
    text = "A: [[1], [1]]\ndL_dy: [2]\nexpect: {dL_dx: [7]}\n---\nname: second\nA: [[1], [1]]\ndL_dy: [[3], [7]]\n"
    result = run("check", "two.yaml", "-q", files={"two.yaml": text})
    assert result.returncode == 1
    assert "the claim equals ∂L2/∂x of two.yaml#2 (second): is it the gradient of another loss?" in result.stdout


@pytest.mark.parametrize("places", [4, 8])
@pytest.mark.parametrize(
    ("mistake", "code"),
    [
        (lambda A, g: np.linalg.solve(A.T, g), "rounded-input"),
        (lambda A, g: -np.linalg.solve(A.T, g), "sign"),
        (lambda A, g: 2 * np.linalg.solve(A.T, g), "factor"),
        (lambda A, g: np.linalg.solve(A, g), "transpose"),
        (lambda A, g: np.linalg.solve(A.T, g) + 0.1, None),
    ],
)
def test_the_digits_of_printed_arrays_hide_no_mistake(mistake: Any, code: str | None, places: int) -> None:
    def printed(array: Any) -> Any:
        return np.char.mod(f"%.{places}f", array).tolist()

    rng, wrong = np.random.default_rng(3), []
    for _ in range(4):
        A, g = rng.normal(size=(4, 4)), rng.normal(size=4)
        outcome = check(printed(A), printed(g), dL_dx=printed(mistake(A, g))).outcomes[0]
        wrong += [] if outcome.holds else [[one.code for one in outcome.suspicions]]
        if code == "rounded-input" and not outcome.holds:  # the tolerance that is advised suffices
            atol = re.search(r"\(atol=(.*)\)$", outcome.suspicions[0].message)
            assert atol is not None
            assert outcome.suspicions[0].message.startswith("the digits of A and dL_dy allow a difference of ")
            assert check(printed(A), printed(g), dL_dx=printed(mistake(A, g)), atol=atol[1])
    assert wrong
    assert all(codes == ([] if code is None else [code]) for codes in wrong)


def test_the_rounding_of_an_inverse_is_bounded_to_first_order() -> None:
    rng = np.random.default_rng(1)
    A = rng.normal(size=(3, 3)).round(4)
    bound = np.abs(np.linalg.inv(A)).sum(1)[:, None] * np.abs(np.linalg.inv(A)).sum(0) * 0.5e-4
    for scale, is_explained in ((0.99, True), (1.05, False)):
        claim = np.linalg.inv(A) + scale * bound * rng.choice([-1, 1], size=(3, 3))
        (found,) = check(A.astype(str).tolist(), dy_dx=np.char.mod("%.12f", claim).tolist()).outcomes
        assert ([one.code for one in found.suspicions] == ["rounded-input"]) == is_explained


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"dy_dx": [["40542.9498", "-20275.5"], ["-20000", "10000"]]}, "sign"),
        ({"dy_dx": [["-40542.9498", "20000"], ["20275.5267", "-10000"]]}, "transpose"),
        ({"dL_dx": [0, 0]}, "zero"),
        ({"dy_dx": [[1, 2], [3, 4]]}, None),
    ],
)
def test_where_rounding_may_have_any_effect_it_is_not_suspected(claims: dict[str, Any], code: str | None) -> None:
    verdict = check([["0.1234", "0.2502"], ["0.2468", "0.5003"]], [1, 2], **claims)  # of condition 10⁵
    assert [one.code for outcome in verdict.outcomes for one in outcome.suspicions] == ([code] if code else [])


def test_a_matrix_of_doubles_is_not_taken_for_a_printed_one() -> None:
    (outcome,) = check([["1/16"]], dy_dx=[["16.01"]]).outcomes
    assert (outcome.holds, outcome.suspicions) == (False, ())


def test_the_rounding_of_the_loss_alone_may_explain_a_difference() -> None:
    A, right = [["1.00000001", "0"], ["0", "1"]], ["0.3333333", "0.6666667"]
    (found,) = check(A, ["0.3333", "0.6667"], dL_dx=right).outcomes
    assert [one.code for one in found.suspicions] == ["rounded-input"]
    (found,) = check(A, ["0.3333333", "0.6667"], dL_dx=["0.3343333", "0.6667"]).outcomes
    assert found.suspicions == ()
