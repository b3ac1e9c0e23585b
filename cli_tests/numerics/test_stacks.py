"""Stacks: bounds that hold against exact rationals, the answers of single systems, and the speed of arrays' shapes."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from conftest import spread, trials
from oracles.rationals import exactly, fractions

from implicitgrad import InputError, Solutions, UsageError, check, solve
from implicitgrad.checks import stack as judging
from implicitgrad.checks.stack import certainly_hold
from implicitgrad.model.claims import Place
from implicitgrad.solvers.floating.stacked import solve_stacked

Rng = np.random.Generator
Array = np.ndarray[Any, Any]


def ill_conditioned(rng: Rng, n: int) -> Array:
    """Matrices with conditions from 1 to 1e18."""
    U, V = (np.linalg.qr(rng.normal(size=(12, n, n)))[0] for _ in range(2))
    sigma = 10 ** -(rng.uniform(0, 18, size=(12, 1, 1)) * np.linspace(0, 1, n))
    found: Array = U * sigma @ V
    return found


def badly_scaled(rng: Rng, n: int) -> Array:
    exponents = rng.integers(-80, 80, size=(2, 12, n))
    return np.ldexp(rng.normal(size=(12, n, n)), exponents[0][:, :, None] + exponents[1][:, None, :])


def mixed(rng: Rng, n: int) -> Array:
    """Matrices of which some are singular, in doubles or exactly, and some have zeros."""
    A = rng.normal(size=(12, n, n))
    A[0], A[1], A[2] = 0, np.eye(n), np.triu(A[2])
    A[3, -1] = A[3, 0] * 3
    A[4, :, 0] = 0
    A[5] = A[5] @ np.diag([*np.ones(n - 1), 1e-300])
    return A


KINDS: dict[str, Callable[[Rng, int], Array]] = {
    "normal": lambda rng, n: rng.normal(size=(12, n, n)),
    "integers": lambda rng, n: rng.integers(-9, 10, size=(12, n, n)).astype(float),
    "ill-conditioned": ill_conditioned,
    "badly scaled": badly_scaled,
    "near the ends of the range": lambda rng, n: np.ldexp(
        rng.normal(size=(12, n, n)), rng.choice([-1040, -1000, -500, 0, 500, 1000, 1020], size=(12, 1, 1))
    ),
    "mixed": mixed,
}
SIZES = [1, 2, 3, 5, 9]


def assert_within(found: Array, truth: Any, bound: float, what: Any) -> None:
    for row, true in zip(found, fractions(truth), strict=True):
        for ours, exact in zip(row, true, strict=True):
            assert abs(Fraction(float(ours)) - exact) <= Fraction(float(bound)), what


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_certified_bounds_hold_against_exact_rationals(kind: str, n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(trials(5)):
        A = KINDS[kind](rng, n)
        B, g = rng.normal(size=(len(A), n, 2)), rng.normal(size=(len(A), 3, n))
        plain, full = solve_stacked(A, None, g, None), solve_stacked(A, B, g, None)
        for k in np.flatnonzero(plain.is_certified | full.is_certified).tolist():
            inverse = exactly(A[k]).inv()  # raises if it is singular
            for found, J in ((plain, inverse), (full, inverse * exactly(B[k]))):
                if found.is_certified[k]:
                    assert found.dL_dx is not None
                    assert_within(found.dy_dx[k], J, found.dy_dx_error[k], A[k])
                    assert_within(found.dL_dx[k], exactly(g[k]) * J, found.dL_dx_error[k], A[k])
        if kind in ("normal", "badly scaled"):
            assert plain.is_certified.mean() > 0.9
            sizes = np.abs(plain.dy_dx).max(axis=(1, 2))
            assert np.median(plain.dy_dx_error / sizes) < 1e-14


@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_gives_the_answers_of_its_systems(kind: str) -> None:
    rng = np.random.default_rng(7)
    for n in (1, 2, 5):
        A = KINDS[kind](rng, n)
        g = rng.normal(size=(len(A), n))
        found = solve(A, g)
        for k in range(len(A)):
            try:
                one = solve(A[k], g[k])
            except InputError:
                assert (found.status[k], found.rank[k]) == ("error", -1)
                assert np.isnan(found.dy_dx[k]).all()
                continue
            assert (found.status[k], found.rank[k]) == (one.status, one.rank)
            assert found.condition[k] == pytest.approx(one.condition or np.nan, rel=1e-6, nan_ok=True)
            pairs = [(found.dy_dx[k], np.asarray(one.dy_dx)), (found.dL_dx[k], one.dL_dx)]
            for (ours, theirs), bound, other in zip(pairs, found.error_bounds, one.error_bounds, strict=True):
                assert np.isnan(bound[k]) == (other is None)
                assert (np.isnan(ours) == np.isnan(theirs)).all()
                if other is not None:
                    assert (np.abs(ours - theirs)[~np.isnan(ours)] <= bound[k] + other).all()
                else:
                    assert np.array_equal(ours, theirs, equal_nan=True)


A = np.array([[[2.0, 0.0], [0.0, 4.0]], [[1.0, 2.0], [2.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]])
G = np.array([[1.0, 1.0], [1.0, 2.0], [3.0, 5.0]])
FOUR = np.random.default_rng(1).normal(size=(2, 3, 4, 4))


def test_solutions_are_a_list_of_solutions_and_arrays_of_all() -> None:
    found = solve(A, G, y=["f", "g"])
    assert isinstance(found, Solutions)
    assert (len(found), found.shape) == (3, (3,))
    assert repr(found) == "<3 solutions of 2 equations in 2 unknowns and 2 inputs>"
    assert [one.rank for one in found] == found.rank.tolist() == [2, 1, 2]
    assert found.status.tolist() == ["determined", "rank-deficient", "determined"]
    assert found[-1].system.source == "<python>[2]"
    assert found[1].general.free == ("f",)
    assert [one.rank for one in found[1:]] == [1, 2]
    assert found[found.status != "determined"][0].system.name == "<python>[1]"
    assert np.allclose(found.dy_dx[[0, 2]], np.linalg.inv(A[[0, 2]]), rtol=1e-15)
    assert np.isnan(found.dy_dx[1]).all()
    assert [np.isnan(bound).tolist() for bound in found.error_bounds] == [[False, True, False]] * 2
    assert found[2].dL_dx == pytest.approx(found.dL_dx[2], rel=1e-15)
    with pytest.raises(IndexError):
        found[3]
    with pytest.raises(ValueError, match="read-only"):
        found.dy_dx[0] = 0


def test_there_can_be_several_leading_axes() -> None:
    found = solve(FOUR, np.ones((2, 3, 5, 4)), B=FOUR[..., :3], name="layer")
    assert (found.shape, len(found), found.dy_dx.shape, found.dL_dx.shape) == ((2, 3), 2, (2, 3, 4, 3), (2, 3, 5, 3))
    assert np.allclose(found.dy_dx, np.eye(4)[:, :3], atol=1e-12)
    assert found[1].shape == (3,)
    assert found[1][2].system.name == found[1, 2].system.name == "layer[1,2]"
    assert found[:, 1].dy_dx.shape == (2, 4, 3)
    assert [one.shape for one in found] == [(3,), (3,)]


@pytest.mark.parametrize(
    "convert",
    [
        lambda a, path: a.astype("f4"),
        lambda a, path: a.astype("i2"),
        lambda a, path: a.astype(">f8"),
        lambda a, path: np.asfortranarray(a),
        lambda a, path: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 0, -1)), -1, 0),
        lambda a, path: list(a),
        lambda a, path: (np.save(path / "a.npy", a), np.load(path / "a.npy", mmap_mode="r"))[1],
    ],
    ids=["float32", "integers", "big-endian", "Fortran order", "strides", "list of arrays", "mapped"],
)  # fmt: skip
def test_other_arrays_mean_the_same_numbers(convert: Callable[[Array, Any], Any], tmp_path: Any) -> None:
    found, expected = solve(convert(A, tmp_path), G.tolist()), solve(A, G)
    assert np.array_equal(found.dy_dx, expected.dy_dx, equal_nan=True)
    assert np.array_equal(found.dL_dx, expected.dL_dx, equal_nan=True)
    assert found[2].dy_dx == expected[2].dy_dx


def test_a_stack_is_not_changed_by_changing_the_array() -> None:
    array = A.copy()
    found = solve(array)
    array[:] = 0
    assert found.rank.tolist() == [2, 1, 2]


def test_lists_of_numbers_and_arithmetic_exact_give_fractions() -> None:
    for found in (solve(A.astype(int).tolist(), [1, 1]), solve(A, [1, 1], arithmetic="exact")):
        assert found.dy_dx.dtype == object
        assert found.dy_dx[2].tolist() == [[-2, 1], [Fraction(3, 2), Fraction(-1, 2)]]
        assert found.dy_dx[1].tolist() == [[None, None], [None, None]]
        assert found.dL_dx[0].tolist() == [Fraction(1, 2), Fraction(1, 4)]
        assert [bound.tolist() for bound in found.error_bounds] == [[0, 0, 0]] * 2
    assert solve([[["1/3"]], [["0.1"]]]).dy_dx.tolist() == [[[3]], [[10]]]
    assert solve(np.array([[[2**60 + 1]], [[2]]])).dy_dx.tolist() == [[[Fraction(1, 2**60 + 1)]], [[0.5]]]
    assert solve(A.tolist(), arithmetic="float").dy_dx.dtype == float


def test_rectangular_systems_and_wanted_free_unknowns() -> None:
    wide = np.array([[[3.0, 5.0]], [[2.0, 0.0]]])
    found = solve(wide, [6.0, 10.0], free="y2")
    assert found.status.tolist() == ["underdetermined"] * 2
    assert found[0].general.free == ("y2",)
    assert np.array_equal(found.dy_dx[:, :, 0], [[np.nan, np.nan], [0.5, np.nan]], equal_nan=True)
    assert found.dL_dx[0].tolist() == [2]
    mixed = solve(A, free="y2")
    assert [one.general.free for one in mixed] == [(), ("y2",), ()]
    tall = solve(np.swapaxes(wide, 1, 2))
    assert (tall.status.tolist(), tall.dy_dx.shape) == (["overdetermined"] * 2, (2, 1, 2))


def test_an_empty_stack_has_empty_arrays() -> None:
    found = solve(np.zeros((0, 3, 3)), np.zeros((0, 2, 3)))
    assert (len(found), list(found), found.dy_dx.shape, found.dL_dx.shape) == (0, [], (0, 3, 3), (0, 2, 3))
    assert solve(np.zeros((2, 0, 1, 2))).dy_dx.shape == (2, 0, 2, 1)


def test_the_cutoff_counts_as_for_single_systems() -> None:
    A = np.array([[[2.0, 1.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0001]]])
    assert solve(A).rank.tolist() == [2, 2]
    assert solve(A, rtol=1e-3).rank.tolist() == [2, 1]


NAN = np.where(np.arange(12).reshape(3, 2, 2) == 7, np.nan, 1.0)


@pytest.mark.parametrize(
    ("arguments", "options", "expected"),
    [
        ([NAN], {}, "<python>[1]: A[2][2]: expected a finite number, got nan"),
        ([np.full((3, 2, 2), np.inf)], {}, "<python>[0]: A[1][1]: expected a finite number, got inf, and so for 11 "
         "more entries of A"),
        ([[np.eye(2), np.eye(3)]], {}, "<python>: A: expected the systems of a stack to have one shape, got several. "
         "Solve each by itself"),
        ([A, G[:2]], {}, "<python>: dL_dy: expected 3×N or 3×K×N beside a stack of 3 systems, or N for all of them; "
         "got the shape 2×2. dL_dy[None] is several losses of every system"),
        ([A, [1, 2, 3]], {}, "<python>[0]: dL_dy has 3 entries; expected 2, one for each column of A. A is 2×2, dL_dy "
         "is 1×3"),
        ([A, 3], {}, "<python>: dL_dy: expected an array, got '3'"),
        ([A], {"B": [[1, 2], [3]]}, "<python>: B: expected 3×M×P beside a stack of 3 systems, or M×P for all of "
         "them; got the shape 2"),
        ([A, np.float64(3)], {}, "<python>: dL_dy: expected an array, got '3.0'"),
        ([A], {"x": ["a"]}, "<python>[0]: x has 1 name; expected 2, one for each row of A"),
        ([A], {"free": "a"}, "free: 'a' is not an unknown of <python>[0]; expected y1, y2"),
        ([A], {"rtol": 2}, "rtol: expected a number from 0 to 1, got 2"),
        ([A], {"arithmetic": "fast"}, "arithmetic: expected 'auto', 'exact', 'float', got 'fast'"),
        ([np.ones((2, 0, 3))], {}, "<python>[0]: A is empty; expected at least one row of at least one number"),
    ],
)  # fmt: skip
def test_what_is_no_stack_is_refused_at_once(arguments: list[Any], options: dict[str, Any], expected: str) -> None:
    with pytest.raises((InputError, UsageError)) as caught:
        solve(*arguments, **options)
    assert str(caught.value) == expected


def claimed(stack: Array, gradients: Array) -> Array:
    found: Array = np.linalg.solve(np.swapaxes(stack, -1, -2), gradients[..., None])[..., 0]
    return found


def test_a_verdict_on_a_stack_names_the_systems_that_fail() -> None:
    rng = np.random.default_rng(0)
    stack, g = rng.normal(size=(64, 4, 4)), rng.normal(size=(64, 4))
    claim = claimed(stack, g)
    good = check(stack, g, dL_dx=claim)
    assert good
    assert (str(good), good.failing, good.worst) == ("dL_dx: all hold in 64 systems", (), None)
    claim[[3, 40]] *= -1
    claim[17] += 100
    verdict = check(stack, g, dL_dx=claim)
    assert not verdict
    assert (verdict.failing, verdict.worst[0]) == ((3, 17, 40), 17)
    assert str(verdict).splitlines()[:3] == [
        "3 of 64 systems fail; worst is 17",
        "they are 3, 17, 40; in 17:",
        "dL_dx fails: 4 of 4 entries",
    ]
    for k in range(3, 64, 7):
        one = check(stack[k], g[k], dL_dx=claim[k])
        assert bool(one) == (k not in verdict.failing)
    assert [str(one) for one in verdict.failures[17]] == [
        str(one._replace(place=Place("<python>[17]"))) for one in check(stack[17], g[17], dL_dx=claim[17]).failures
    ]
    many = check(stack[:30], g[:30], dL_dx=-claimed(stack, g)[:30])
    assert str(many).splitlines()[1].startswith("they are 0, 1, 2, 3,")
    assert " 19 and 10 more; in " in str(many).splitlines()[1]


def test_claims_about_a_stack_have_its_axes_or_are_the_same_for_all() -> None:
    inverse = np.linalg.inv(FOUR)
    assert check(FOUR, dy_dx=inverse)
    assert check(FOUR, dy_dx=inverse.astype("f4"))
    assert not check(FOUR, dy_dx=inverse.astype("f4").astype(float))
    assert check(FOUR, dy_dx=inverse, rtol=1e-9, status="determined", rank=[[4] * 3] * 2, free_parameters=0)
    assert check(FOUR, np.ones(4), dL_dx=inverse.sum(axis=-2))
    assert check(FOUR, FOUR, dL_dx=np.eye(4)[None, None])
    verdict = check(FOUR, rank=[[4, 4, 4], [4, 3, 4]])
    assert str(verdict) == "1 of 6 systems fails; it is [1,1]\nrank fails: claimed 3, correct is 4"
    singular = [[[1, 2], [3, 4]], [[1, 2], [2, 4]]]
    assert check(singular, [1, 1], dL_dx=[["-0.5", "0.5"], [None, None]], status=["determined", "rank-deficient"])
    assert check([singular[1]] * 2, constraints={"dependent": ["x2"], "matrix": [[2]]}, free_parameters=["dy1/dx1"])
    assert check(singular, constraints=()).failing == (1,)
    with pytest.raises(InputError) as caught:
        check(singular, [1, 1], dL_dx=[[1, 2]] * 3)
    message = "dL_dx: expected 2×P or 2×K×P beside a stack of 2 systems, or P for all of them; got the shape 3×2"
    assert str(caught.value) == f"<python>: {message}. dL_dx[None] is several losses of every system"
    with pytest.raises(TypeError, match="expected a claim"):
        check(FOUR)


def test_a_claim_that_is_not_decided_is_counted_as_such() -> None:
    loose = check(np.eye(2)[None], [1, 1], dL_dx=np.full((1, 2), 3.0), rtol=10)
    assert str(loose).startswith("1 of 1 system is undecided; it is 0")
    free = A[[1, 2]], [1, 1]
    assert check(*free, dL_dx=[[1, 1], [-0.5, 0.5]])
    assert check(*free, dL_dx=[[1, 1], [-0.5, 0.5]], strict=True).failing == (0,)


@pytest.mark.parametrize("key", ["dy_dx", "dL_dx"])
@pytest.mark.parametrize("kind", spread(["f8", "f4"], 2))
def test_a_claim_that_is_accepted_at_once_holds_when_it_is_judged(
    key: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    claims, stacks, gradients = [], [], []
    for name in ("normal", "integers", "ill-conditioned", "badly scaled"):
        A = KINDS[name](rng, 3)
        g = rng.normal(size=(len(A), 3)) * 10 ** rng.uniform(-3, 3, size=(len(A), 1))
        with np.errstate(all="ignore"):
            inverse = np.stack([np.linalg.pinv(a) for a in A])
            claim = (inverse if key == "dy_dx" else np.einsum("si,sij->sj", g, inverse)).astype(kind)
            units = 2.0 ** rng.uniform(0, 14, size=(len(A), *[1] * (claim.ndim - 1))) * np.finfo(kind).eps
            claims.append((claim * (1 + units * rng.normal(size=claim.shape))).astype(kind))
        stacks.append(A)
        gradients.append(g)
    A, g, claim = map(np.concatenate, (stacks, gradients, claims))
    A, g, claim = (part[np.isfinite(claim).reshape(len(claim), -1).all(axis=1)] for part in (A, g, claim))
    at_once: list[Array] = []

    def certainly(*arguments: Any) -> Array:
        at_once.append(certainly_hold(*arguments))
        return at_once[-1]

    monkeypatch.setattr(judging, "certainly_hold", certainly)
    quick = check(A, g, **{key: claim})
    monkeypatch.setattr(judging, "certainly_hold", lambda *parts: np.zeros(len(A), dtype=bool))
    slow = check(A, g, **{key: claim})
    assert (quick.failing, str(quick)) == (slow.failing, str(slow))
    assert not at_once[0][list(slow.failing)].any()
    assert 0 < len(slow.failing) < len(A)
    assert at_once[0].sum() > 0.3 * (len(A) - len(slow.failing))


def test_a_check_of_what_is_no_stack_is_refused() -> None:
    with pytest.raises(InputError, match="x has 1 name; expected 4"):
        check(FOUR, dy_dx=np.linalg.inv(FOUR), x=["a"])
    with pytest.raises(InputError, match="B has 3 rows; expected 4"):
        check(FOUR, B=FOUR[..., :3, :], dy_dx=np.linalg.inv(FOUR))
    assert check(np.zeros((0, 2, 2)), dy_dx=np.zeros((0, 2, 2)))


def test_a_claim_that_fixes_nothing_in_some_systems_is_said_to() -> None:
    A = np.array([[[2.0, 0.0], [0.0, 4.0]], [[1.0, 2.0], [2.0, 4.0]]])
    verdict = check(A, [1.0, 1.0], dL_dx=np.array([[0.5, 0.25], [7.0, 8.0]]))
    assert verdict.fixing_nothing == (1,)
    assert str(verdict) == "dL_dx: all hold in 2 systems\nbut fix nothing in 1, of which any answer would hold"
    assert not check(A, [1.0, 1.0], dL_dx=np.array([[0.5, 0.25], [7.0, 8.0]]), strict=True)


def test_a_system_beyond_doubles_leaves_the_others_their_answers() -> None:
    A = np.array([np.eye(2) * 1e-300, np.eye(2)])
    found = solve(A, [1.0, 1.0], B=np.full((2, 2, 2), 1e10))
    assert list(found.status) == ["error", "determined"]
    assert np.array_equal(found.dL_dx[1], [2e10, 2e10])
    assert list(solve_stacked(A, np.full((2, 2, 2), 1e10), np.ones((2, 1, 2)), None).is_certified) == [False, True]
    of_loss = solve(np.array([np.eye(2), np.eye(2)]), [[1e300, 0.0], [1.0, 0.0]], B=np.full((2, 2, 2), 1e10))
    assert list(of_loss.status) == ["error", "determined"]
