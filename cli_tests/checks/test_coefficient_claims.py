"""A claimed ∂L/∂A or ∂L/∂B is judged entry by entry, and the usual mistakes in it are named."""

from fractions import Fraction

import numpy as np
import pytest
from conftest import Run, examples, spread
from elimination import Matrix, inverse, rank, transpose
from hypothesis import assume, given
from hypothesis import strategies as st

from implicitgrad import check

entries = st.integers(-9, 9).map(Fraction)
A = [[Fraction(1), Fraction(2)], [Fraction(3), Fraction(5)]]
B = [[Fraction(2), Fraction(1)], [Fraction(1), Fraction(7)]]
g, x = [Fraction(3), Fraction(1)], [Fraction(5), Fraction(-6)]


def times(X: Matrix, v: list[Fraction]) -> list[Fraction]:
    return [sum((a * b for a, b in zip(row, v, strict=True)), Fraction(0)) for row in X]


def outer(v: list[Fraction], w: list[Fraction], factor: Fraction | int = 1) -> Matrix:
    return [[factor * a * b for b in w] for a in v]


u, y = times(transpose(inverse(A)), g), times(inverse(A), x)
By = times(inverse(A), times(B, x))
MISTAKES = {
    "sign": ("dL_dA", None, outer(u, y), "the claim is the negative of ∂L/∂A: is a sign flipped?"),
    "transpose": (
        "dL_dA", None, outer(y, u, -1),
        "the claim is the transpose of ∂L/∂A: are the factors of the outer product exchanged?",
    ),
    "transpose and sign": (
        "dL_dA", None, outer(y, u),
        "the claim is the transpose of ∂L/∂A: are the factors of the outer product exchanged? And is a sign flipped?",
    ),
    "x for y": ("dL_dA", None, outer(u, x, -1), "the claim equals -u·xᵀ: was x taken for y?"),
    "∂L/∂B for ∂L/∂A": (
        "dL_dA", None, outer(u, x), "the claim equals -u·xᵀ: was x taken for y? And is a sign flipped?"
    ),
    "unsolved": ("dL_dA", None, outer(g, y, -1), "the claim equals -∂L/∂y·yᵀ: was the solution with Aᵀ left out?"),
    "A for Aᵀ": (
        "dL_dA", None, outer(times(inverse(A), g), y, -1),
        "the claim equals -(A⁻¹·∂L/∂y)·yᵀ: was the transpose forgotten?",
    ),
    "factor": ("dL_dA", None, outer(u, y, -2), "the claim is 2 times ∂L/∂A: is a factor of 2 too many?"),
    "half": ("dL_dA", None, outer(u, y, Fraction(-1, 2)), "the claim is 1/2 times ∂L/∂A: is a factor of 2 missing?"),
    "zero": (
        "dL_dA", None, outer(u, y, 0), "the claim is 0 throughout: was the gradient cut off before it came here?"
    ),
    "y for x": ("dL_dB", None, outer(u, y), "the claim equals u·yᵀ: was y taken for x?"),
    "sign of B": ("dL_dB", None, outer(u, x, -1), "the claim is the negative of ∂L/∂B: is a sign flipped?"),
    "right side for y": ("dL_dA", B, outer(u, times(B, x), -1), "the claim equals -u·(B·x)ᵀ: was (B·x) taken for y?"),
    "∂L/∂x for u": (
        "dL_dA", B, outer(times(transpose(B), u), By, -1),
        "the claim equals -∂L/∂x·yᵀ: was ∂L/∂x taken for the solution with Aᵀ?",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("key", "right", "claim", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_that_explains_all_of_a_claim_is_named(
    key: str, right: Matrix | None, claim: Matrix, message: str
) -> None:
    (outcome,) = check(A, g, B=right, at=x, **{key: claim}).outcomes
    assert not outcome.holds
    assert [suspicion.message for suspicion in outcome.suspicions] == [message]
    as_doubles = check(A, g, B=right, at=x, **{key: np.array(claim, dtype=float)})
    assert [suspicion.message for suspicion in as_doubles.outcomes[0].suspicions] == [message]


def square(n: int) -> st.SearchStrategy[Matrix]:
    return st.lists(st.lists(entries, min_size=n, max_size=n), min_size=n, max_size=n)


@given(st.integers(1, 4).flatmap(lambda n: st.tuples(square(n), square(n))))
@examples(50)
def test_what_is_right_holds_and_what_is_merely_wrong_is_not_explained(rows: tuple[Matrix, Matrix]) -> None:
    M, others = rows
    assume(rank(M) == len(M))
    gradient, value = others[0], others[-1]
    left, solution = times(transpose(inverse(M)), gradient), times(inverse(M), value)
    right = {"dL_dA": outer(left, solution, -1), "dL_dB": outer(left, value)}
    assert check(M, gradient, at=value, **right)
    right["dL_dA"][0][0] += Fraction(1, 1000003)
    (wrong, good) = check(M, gradient, at=value, **right).outcomes
    assert (wrong.holds, wrong.failing, wrong.suspicions, good.holds) == (False, 1, (), True)


@pytest.mark.parametrize("dtype", spread([np.float64, np.float32], 2))
def test_what_a_stable_computation_gets_holds(dtype: type) -> None:
    random = np.random.default_rng(3)
    for n in spread((30, 12, 3, 1), 2):
        M, gradient, value = (random.normal(size=size).astype(dtype) for size in ((n, n), n, n))
        left, solution = np.linalg.solve(M.T, gradient), np.linalg.solve(M, value)
        assert check(M, gradient, at=value, dL_dA=-np.outer(left, solution), dL_dB=np.outer(left, value))
        off = -np.outer(left, solution)
        off[0, 0] += np.abs(off).max() / 10
        assert not check(M, gradient, at=value, dL_dA=off)


def test_losses_have_a_matrix_each_and_a_wrong_one_is_named() -> None:
    found = [outer(times(transpose(inverse(A)), loss), y, -1) for loss in (g, [Fraction(1), Fraction(0)])]
    assert check(A, [g, [1, 0]], at=x, dL_dA=found)
    assert check(A, [g, [1, 0]], at=x, dL_dA=[*found[0], *found[1]])
    (outcome,) = check(A, [g, [1, 0]], at=x, dL_dA=[found[0], found[0]]).outcomes
    assert outcome.suspicions[0].message == ("the claimed ∂L2/∂A equals ∂L1/∂A: is it the gradient of another loss?")
    assert outcome.worst is not None
    assert outcome.worst.entry.startswith("dL_dA[2][")


def test_a_number_where_nothing_is_determined_is_undecided_and_null_holds(run: Run) -> None:
    system = ("-A", "1 1 0; 0 1 0", "-g", "1 0 0", "--at", "x1=5,x2=5")
    assert run("check", *system, "--dlda", "0 -5 null; 0 5 null", "--dldb", "5 5; -5 -5").returncode == 0
    result = run("check", *system, "--dlda", "0 -5 7; 0 5 null", "--plain")
    assert result.returncode == 1
    assert "dL_dA (--dlda) is not decided: dL_dA[1][3] is not determined, and a number there" in result.stdout
    result = run("check", *system, "--dlda", "0 -5 null; 0 null null", "--plain")
    assert "dL_dA[2][2] (dL/dA[2][2]): claimed not to be determined, correct is 5" in result.stdout


def test_a_claim_that_its_own_rounding_leaves_open_is_undecided(run: Run) -> None:
    result = run("check", "-A", "100", "-g", "1", "--at", "x1=1", "--dlda", "-0.0", "--plain")
    assert result.returncode == 1
    assert "it proves nothing: its own rounding allows an error of 0.05 in dL_dA[1]" in result.stdout


REFUSED = {
    "no x": (("-A", "1", "-g", "1", "--dlda", "1"), "dL_dA needs the value of x, and there is none"),
    "no gradient": (("-A", "1", "--at", "x1=1", "--dldb", "1"), "dL_dB needs dL_dy, and there is none"),
    "shape": (("-A", "1 2", "-g", "1 1", "--at", "x1=1", "--dlda", "1; 2"), "dL_dA has 2 rows; expected 1"),
    "nested": (("k.yaml",), "k.yaml:4:46: expect.dL_dA[2][2][1]: expected a number"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_a_claim_that_makes_no_sense_is_refused(run: Run, options: tuple[str, ...], message: str) -> None:
    text = "A: [[1, 2], [3, 5]]\n"
    text += "dL_dy: [[1, 1], [0, 1]]\nat: [5, 6]\nexpect: {dL_dA: [[[1, 0], [2, 0]], [[1, 0], [q, 0]]]}\n"
    result = run("check", *options, files={"k.yaml": text})
    assert result.returncode == 2
    assert message in result.stderr + result.stdout


@pytest.mark.parametrize(
    ("letters", "claims", "said"),
    [
        (False, {"dL_dA": np.array([[np.nan, 0], [0, 0]])},
         "dL_dA fails: dL_dA[1][1] is nan: 1 of 4 entries is not finite"),
        (True, {"dy_dx": [["1/a", None], ["0", "1"]]},
         "dy_dx fails: 1 of 4 entries: dy_dx[1][2] (∂y1/∂x2): claimed not to be determined, correct is 0"),
        (True, {"dL_dA": [["0", None], ["0", "0"]]},
         "dL_dA fails: 3 of 4 entries: dL_dA[1][1]: claimed 0, correct is -1/a²"),
    ],
    ids=["NaN", "null for a number", "a wrong number"],
)  # fmt: skip
def test_numbers_that_cannot_be_right_are_named(letters: bool, claims: dict[str, object], said: str) -> None:
    verdict = check([["a", "0"], ["0", "1"]] if letters else A, ["1", "1"], at=["1", "0"], **claims)
    assert str(verdict).splitlines()[0] == said


def test_a_number_with_letters_is_not_decided_where_none_is_determined() -> None:
    verdict = check([["a", "a"]], ["1", "1"], at=["1"], dL_dA=[["1", None]])
    reason = "dL_dA[1][1] is not determined, and a number there cannot be judged; null claims just that"
    assert str(verdict) == f"dL_dA is not decided: {reason}"
