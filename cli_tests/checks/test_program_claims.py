"""What a file claims of a quadratic program: what holds, what fails, and what is said of it."""

import json
from collections import Counter
from fractions import Fraction
from random import Random
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from cases import BAKERY
from conftest import IS_THOROUGH, Run

import implicitgrad
from implicitgrad.checks.expected import check_specs
from implicitgrad.model.verdict import Outcome
from implicitgrad.readers.systems.build import build_question
from implicitgrad.readers.yaml.reader import read_systems
from implicitgrad.solvers.program.solver import solve_program
from implicitgrad.writers.program.record import program_record

VERTEX = """\
P: [[1, 0], [0, 1]]
q: [-3, -3]
G: [[1, 0], [0, 1], [1, 1]]
h: [1, 1, 2]
dL_dz: [1, 1]
"""
INFEASIBLE = "q: [1]\nG: [[1], [-1]]\nh: [0, -1]\ndL_dz: [1]\n"
UNBOUNDED = "q: [-1]\nG: [[-1]]\nh: [0]\ndL_dz: [1]\n"
FACE = "q: [0, 0]\nG: [[1, 1]]\nh: [1]\nlb: 0\nub: [null, 0]\ndL_dz: [1, 1]\n"
"""The solutions are z1 from 0 to 1 with z2 = 0."""
DEPENDENT = "P: [[1, 0], [0, 1]]\nq: [0, 0]\nA: [[1, 1], [2, 2]]\nb: [2, 4]\ndL_dz: [1, 0]\n"
EDGE = "P: [[1]]\nq: [0]\nA: [[1]]\nb: [1]\nlb: [1]\ndL_dz: [1]\n"
"""z1 = 1 by an equality, and z1 ≥ 1: b1 can grow and cannot fall."""
CORNER = "P: [[1, 0], [0, 1]]\nq: [0, 0]\nA: [[1, 0], [0, 1]]\nb: [1, 1]\nlb: 1\ndL_dz: [1, 2]\n"
"""The same in two unknowns."""
BOOK = {
    "corner": CORNER,"bakery": BAKERY, "vertex": VERTEX, "infeasible": INFEASIBLE, "unbounded": UNBOUNDED, "face": FACE,
        "dependent": DEPENDENT, "edge": EDGE}  # fmt: skip


def outcomes(text: str, **claims: Any) -> dict[str, Outcome]:
    """Judge claims, as JSON values, about the program of a YAML text."""
    written = f"{text}expect: {json.dumps(claims, default=str)}\n"
    (verdict,) = check_specs(read_systems(written, "file.yaml"))
    return {outcome.key: outcome for outcome in verdict.outcomes}


def outcome(text: str, key: str, claim: Any, **others: Any) -> Outcome:
    return outcomes(text, **{key: claim} | others)[key]


@pytest.mark.parametrize(
    ("name", "key", "claim"),
    [
        ("bakery", "status", "differentiable"),
        ("bakery", "objective", "-129/20"),
        ("bakery", "objective", "-6.5"),  # the digits after the point are claimed
        ("bakery", "objective", ["-6.45"]),
        ("bakery", "z", ["7/5", "1.7"]),
        ("bakery", "z", ["1.40", "1.7"]),
        ("bakery", "active", "oven"),
        ("bakery", "lambda", [0, "4/5", 0]),
        ("bakery", "nu", []),
        ("bakery", "dz_db", [[], []]),
        ("bakery", "dL_db", []),
        ("bakery", "dL_dA", []),
        ("bakery", "dL_dq", ["-3/5", "-0.3"]),
        ("bakery", "dL_dq", {"left": ["-3/5", "-3/10"]}),  # a derivative is that from each side
        ("bakery", "dL_dh", [0, {"left": "1/5", "right": "1/5"}, 0]),
        ("bakery", "dL_dlb", [0, 0]),
        ("bakery", "dL_dub", [0, 0]),
        ("bakery", "dz_dlb", [[0, 0], [0, 0]]),
        ("bakery", "dL_dP", [["-21/25", "-18/25"], ["-18/25", "-51/100"]]),
        ("bakery", "dL_dG", [[0, 0], ["-19/25", "-29/50"], [0, 0]]),
        ("vertex", "status", "one-sided"),
        ("vertex", "active", ["h3", "h1", "h2"]),
        ("vertex", "lambda", [1, 1, 1]),
        ("vertex", "lambda", ["1/2", "0.5", "1.5"]),
        ("vertex", "lambda", [2, 2, 0]),
        ("vertex", "lambda", [None, None, None]),
        ("vertex", "lambda", None),
        ("vertex", "dL_dh", None),
        ("vertex", "dL_dh", [None, None, None]),
        ("vertex", "dL_dh", {"left": [1, 1, 1], "right": [0, 0, 0]}),
        ("vertex", "dL_dh", [{"left": 1}, {"right": 0}, None]),
        ("vertex", "dz_dh", {"left": [[1, 0, "1/2"], [0, 1, "1/2"]]}),
        ("vertex", "dz_dh", [{"right": [0, 0, 0]}, [0, None, None]]),  # ∂z2/∂h1 is 0 from both sides
        ("vertex", "dL_dP", None),
        ("vertex", "dL_dG", [[None, None], [None, None], [None, None]]),
        ("infeasible", "status", "infeasible"),
        ("infeasible", "z", None),
        ("infeasible", "objective", None),
        ("infeasible", "active", []),
        ("infeasible", "dL_dq", [None]),
        ("unbounded", "status", "unbounded"),
        ("unbounded", "lambda", None),
        ("face", "status", "not-unique"),
        ("face", "z", None),
        ("face", "z", [None, 0]),
        ("face", "z", ["1/3", 0]),
        ("face", "z", [1, 0]),
        ("face", "objective", 0),
        ("face", "dz_dh", None),
        ("dependent", "status", "constrained"),
        ("dependent", "nu", [-1, 0]),
        ("dependent", "nu", [1, -1]),
        ("dependent", "nu", [None, None]),
        ("dependent", "dL_dq", ["-1/2", "1/2"]),
        ("dependent", "dL_db", ["0.5", None]),
        ("dependent", "dL_db", ["1/2", {"left": "infeasible", "right": None}]),
        ("edge", "dL_db", {"left": "infeasible", "right": 1}),
        ("edge", "dL_db", [{"left": None}]),
        ("corner", "dL_db", {"left": "infeasible", "right": [1, 2]}),
        ("corner", "dz_db", {"left": None, "right": [[1, 0], [0, 1]]}),
        ("bakery", "dL_dP", [["-0.84", "-0.7200000000000000"], ["-0.72", "-0.51"]]),  # one is computed, and so are all
    ],
)
def test_a_right_claim_holds(name: str, key: str, claim: Any) -> None:
    found = outcome(BOOK[name], key, claim)
    assert found.holds, found.explanation


@pytest.mark.parametrize(
    ("name", "key", "claim", "said"),
    [
        ("bakery", "status", "one-sided", "claimed one-sided, correct is differentiable"),
        (
            "bakery",
            "dL_dP",
            [["-0.8", "-0.7200000000000000"], ["-0.72", "-0.51"]],
            "1 of 4 entries; dL_dP[1][1] (∂L/∂P[1][1]): claimed -0.8, correct is -0.84, difference 0.04, "
            "allowed ≈1.11e-14",
        ),
        (
            "bakery",
            "objective",
            "-6.3",
            "1 of 1 entry; objective (the objective): claimed -6.3, correct is -6.45, difference 0.15, allowed 0.05",
        ),
        ("bakery", "active", ["oven", "flour"], "claimed oven, flour, correct is oven: flour is inactive"),
        ("bakery", "active", [], "claimed none, correct is oven: oven is active, too"),
        (
            "bakery",
            "z",
            ["7/5", "1.8"],
            "1 of 2 entries; z[2] (cake): claimed 1.8, correct is 1.7, difference 0.1, allowed 0.05",
        ),
        (
            "bakery",
            "z",
            None,
            "it is claimed not to be determined; z[1] (bread): claimed not to be determined, correct is 7/5",
        ),
        (
            "bakery",
            "z",
            ["null", "17/10"],
            "1 of 2 entries; z[1] (bread): claimed not to be determined, correct is 7/5",
        ),
        (
            "bakery",
            "lambda",
            ["1/5", "4/5", 0],
            "1 of 3 entries; lambda[1] (λ[flour]): claimed 1/5, correct is 0, difference 1/5",
        ),
        (
            "bakery",
            "lambda_lb",
            [0, 1],
            "1 of 2 entries; lambda_lb[2] (λ[lb[cake]]): claimed 1, correct is 0, difference 1",
        ),
        (
            "bakery",
            "dz_dh",
            [[0, "-1/5", 0], [0, "1/5", 0]],
            "1 of 6 entries; dz_dh[2][2] (∂cake/∂oven): claimed 1/5, correct is 2/5, difference -1/5",
        ),
        (
            "bakery",
            "dL_dq",
            {"right": ["-3/5", 1]},
            "1 of 2 entries; dL_dq.right[2] (∂L/∂q[cake] from the right): claimed 1, correct is -3/10, difference "
            "13/10",
        ),
        (
            "bakery",
            "dL_dh",
            [0, {"left": "infeasible"}, 0],
            "1 of 3 entries; dL_dh[2] (∂L/∂oven from the left): claimed not to be determined, correct is 1/5",
        ),
        (
            "vertex",
            "status",
            "differentiable",
            "claimed differentiable, correct is one-sided: h1, h2, h3 are exchangeable",
        ),
        (
            "vertex",
            "dL_dh",
            [0, 0, 0],
            "3 of 3 entries; a one-sided derivative is claimed as {left: ...} or {right: ...}; "
            "worst dL_dh[1] (∂L/∂h1): claimed 0, but it is 1 from the left and 0 from the right",
        ),
        (
            "vertex",
            "dz_dh",
            [["1/2", None, None], [0, None, None]],
            "1 of 6 entries; a one-sided derivative is claimed as {left: ...} or {right: ...}; "
            "dz_dh[1][1] (∂z1/∂h1): claimed 1/2, but it is 1 from the left and 0 from the right",
        ),
        (
            "vertex",
            "dL_dh",
            {"left": [0, 1, 1]},
            "1 of 3 entries; dL_dh.left[1] (∂L/∂h1 from the left): claimed 0, correct is 1, difference -1",
        ),
        (
            "vertex",
            "lambda",
            [1, 1, 2],
            "these are no valid multipliers: h1 from 0 to 2, h2 from 0 to 2, h3 from 0 to 2, not all at will",
        ),
        (
            "vertex",
            "lambda",
            [-1, -1, 3],
            "these are no valid multipliers: h1 from 0 to 2, h2 from 0 to 2, h3 from 0 to 2, not all at will",
        ),
        (
            "infeasible",
            "z",
            [0],
            "1 of 1 entry; z[1] (z1): claimed 0, but it is nothing, for the program is infeasible",
        ),
        (
            "unbounded",
            "dL_dq",
            [0],
            "1 of 1 entry; dL_dq[1] (∂L/∂q[z1]): claimed 0, but it is nothing, for the program is unbounded",
        ),
        (
            "face",
            "status",
            "differentiable",
            "claimed differentiable, correct is not-unique: the solutions span 1 direction",
        ),
        ("face", "z", [2, 0], "it is not among the solutions, which are many"),
        ("face", "z", [1, 1], "1 of 2 entries; z[2] (z2): claimed 1, correct is 0, difference 1"),
        (
            "face",
            "dL_dh",
            [0],
            "1 of 1 entry; dL_dh[1] (∂L/∂h1): claimed 0, but it is not determined, for z is not unique",
        ),
        (
            "dependent",
            "dL_db",
            ["1/2", "1/4"],
            "1 of 2 entries; a one-sided derivative is claimed as {left: ...} or {right: ...}; "
            "dL_db[2] (∂L/∂b2): claimed 1/4, but it is infeasible on the left and infeasible on the right",
        ),
        ("dependent", "nu", [1, 0], "these are no valid multipliers"),
        (
            "edge",
            "dL_db",
            {"left": 1},
            "1 of 1 entry; dL_db.left[1] (∂L/∂b1 from the left): claimed 1, but it is infeasible on the left",
        ),
        (
            "edge",
            "dL_db",
            {"left": "not-unique"},
            "1 of 1 entry; dL_db.left[1] (∂L/∂b1 from the left): claimed not-unique, but it is infeasible on the left",
        ),
    ],
)
def test_a_wrong_claim_fails_and_is_explained(name: str, key: str, claim: Any, said: str) -> None:
    found = outcome(BOOK[name], key, claim)
    assert not found.holds
    assert not found.is_undecided
    assert "; ".join(filter(None, (found.reason, found.headline.removesuffix(found.reason).removesuffix("; ")))) == said


def test_what_is_not_found_is_undecided() -> None:
    found = outcome(VERTEX, "dL_dP", [[0, 0], [0, 0]])
    assert not found.holds
    assert found.is_undecided
    assert found.reason == "∂L/∂P is found where the status is differentiable, and it is one-sided"


def test_a_claim_whose_rounding_is_as_large_as_the_answer_proves_nothing() -> None:
    text = "P: [[25]]\nq: [-1]\nlb: -1\ndL_dz: [1]\n"  # z = 0.04, and its derivative in q is -0.04
    for key, claim in (("z", ["0.0"]), ("dL_dq", ["-0.0"]), ("dL_dq", {"left": ["0.0"]})):
        found = outcome(text, key, claim)
        assert not found.holds
        assert found.is_undecided
        assert found.reason.endswith("where the answer is of the size ≈0.0400; more digits decide")
    assert outcome(text, "z", ["0.05"], tolerance={"rtol": 1}).is_undecided is False
    assert outcome(text, "z", ["0.08"], tolerance={"rtol": 1}).is_undecided
    assert outcome(text, "z", ["0.08"], tolerance={"atol": 1}).holds
    assert outcome(text, "dL_dlb", ["0.0"]).holds
    assert outcome(text, "z", ["0.04"]).holds


def test_claimed_multipliers_must_be_valid_together() -> None:
    """z = 1 by z ≤ 1 twice, once as a bound: their multipliers add up to 2."""
    text = "P: [[1]]\nq: [-3]\nG: [[1]]\nh: [1]\nub: [1]\n"
    assert all(one.holds for one in outcomes(text, **{"lambda": ["1/2"], "lambda_ub": ["3/2"]}).values())
    found = outcomes(text, **{"lambda": ["1/2"], "lambda_ub": [1]})
    assert [found["lambda"].holds, found["lambda_ub"].holds] == [True, False]
    assert found["lambda_ub"].reason == (
        "these are no valid multipliers that go with the others claimed: h1 from 0 to 2, ub[z1] from 0 to 2, "
        "not all at will"
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_arrays_have_the_tolerance_of_their_type(run: Run, tmp_path: Any, dtype: str) -> None:
    P, G = np.array([[4.0, 1], [1, 2]]) / 3, np.array([[1.0, 1], [1, 0]]) / 7
    arrays = {"P": P, "q": np.array([-1.0, -2]), "G": G, "h": np.array([0.1, 5]), "dL_dz": np.array([1.0, 3])}
    K = np.block([[P, G[:1].T], [G[:1], np.zeros((1, 1))]])
    u = np.linalg.solve(K, [1, 3, 0])
    y = np.linalg.solve(K, [1, 2, 0.1])
    claims = {"dL_dq": -u[:2], "dL_dh": np.array([u[2], 0]), "z": y[:2], "lambda": np.array([y[2], 0]),
              "dL_dG": -np.array([y[2] * u[:2] + u[2] * y[:2], [0, 0]]),
              "dL_dP": -(np.outer(u[:2], y[:2]) + np.outer(y[:2], u[:2])) / 2,
              "objective": y[:2] @ P @ y[:2] / 2 - y[0] - 2 * y[1]}  # fmt: skip
    for scale, holds in ((1, True), (1.1, False)):
        expected = {f"expect_{key}": np.asarray(value * scale).astype(dtype) for key, value in claims.items()}
        np.savez(tmp_path / "layer.npz", **arrays, **expected)
        result = run("check", "layer.npz", "--format", "json")
        assert (result.returncode, result.stderr) == (0 if holds else 1, "")
        assert [one["holds"] for one in json.loads(result.stdout)["claims"]] == [holds] * len(claims)


def test_arrays_claim_sides_and_tolerances(run: Run, tmp_path: Any) -> None:
    vertex = {"P": np.eye(2), "q": [-3, -3], "G": [[1, 0], [0, 1], [1, 1]], "h": [1, 1, 2], "dL_dz": [1, 1]}
    claims = {"dL_dh_left": [1.01, 1, 1], "dL_dh_right": [0, 0, 0], "status": "one-sided", "active": ["h1", "h2", "h3"]}
    for tolerance, code in ((0.02, 0), (0.001, 1)):
        expected = {f"expect_{key}": value for key, value in claims.items()}
        np.savez(tmp_path / "vertex.npz", **vertex, **expected, expect_tolerance_atol=tolerance)
        result = run("check", "vertex.npz")
        assert (result.returncode, result.stderr) == (code, "")
    assert (
        "vertex.npz: dL_dh fails: 1 of 6 entries\n  dL_dh.left[1] (∂L/∂h1 from the left): claimed 1.01" in result.stdout
    )
    np.savez(tmp_path / "vertex.npz", **vertex, expect_dL_dh_left=[1, 1, 1], expect_dL_dh=[0, 0, 0])
    result = run("check", "vertex.npz", "-q")
    message = "dL_dh is claimed as a whole and from one side; expected one of both"
    assert (result.returncode, result.stderr) == (2, f"implicitgrad: vertex.npz: {message}\n")
    np.savez(tmp_path / "vertex.npz", **vertex, expect_dL_dhleft=[1, 1, 1])
    result = run("check", "vertex.npz", "-q")
    assert result.returncode == 2
    assert result.stderr.startswith("implicitgrad: vertex.npz: unknown key 'expect_dL_dhleft'; expected one of expect_")
    assert result.stderr.endswith(". Did you mean expect_dL_dh_left?\n")


def test_a_stated_tolerance_replaces_the_digits() -> None:
    assert outcome(BAKERY, "z", ["1.41", "1.72"], tolerance={"atol": "0.02"}).holds
    assert outcome(BAKERY, "z", ["1.41", "1.72"], tolerance={"rtol": "0.02"}).holds
    assert not outcome(BAKERY, "z", ["1.41", "1.73"], tolerance={"atol": "0.02"}).holds


def random_program(random: Random) -> dict[str, Any]:
    """Return a small program of small integers, which often has kinks, many solutions or none."""
    n, m, p = random.randint(1, 3), random.randint(0, 4), random.choice([0, 0, 1, 2])

    def integers(rows: int, columns: int, most: int = 1) -> list[list[int]]:
        return [[random.randint(-most, most) for _ in range(columns)] for _ in range(rows)]

    B = integers(random.randint(0, n), n)
    document: dict[str, Any] = {
        "P": [[sum(row[i] * row[j] for row in B) for j in range(n)] for i in range(n)],
        "q": integers(1, n)[0],
        "lb": [random.choice([None, 0, -1]) for _ in range(n)],
        "ub": [random.choice([None, None, 1, 0]) for _ in range(n)],
        "dL_dz": integers(random.randint(1, 2), n, 2),
    }
    if m:
        document |= {"G": integers(m, n), "h": [random.choice([0, 0, 1]) for _ in range(m)]}
    if p:
        document |= {"A": integers(p, n), "b": [random.choice([0, 0, 1]) for _ in range(p)]}
    return document


def solved(document: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a program."""
    (spec,) = read_systems(json.dumps(document), "file.json")
    question = build_question(spec)
    assert question.kind == "program"
    return json.loads(json.dumps(program_record(solve_program(question))))  # type: ignore[no-any-return]


def judged(document: dict[str, Any], expect: object) -> dict[str, bool]:
    (verdict,) = check_specs(read_systems(json.dumps(document | {"expect": expect}), "file.json"))
    return {outcome.key: outcome.holds for outcome in verdict.outcomes}


def positions(value: Any, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    if not isinstance(value, list):
        return [path]
    return [place for i, item in enumerate(value) for place in positions(item, (*path, i))]


def with_entry(value: Any, path: tuple[int, ...], change: Any) -> Any:
    if not path:
        return change(value)
    return [with_entry(item, path[1:], change) if i == path[0] else item for i, item in enumerate(value)]


def test_the_programs_own_answer_holds_and_a_changed_one_fails() -> None:
    statuses: Counter[str] = Counter()
    for seed in range(80 if IS_THOROUGH else 20):
        random = Random(seed)
        document = random_program(random)
        record = solved(document)
        statuses[record["status"]] += 1
        found = judged(document, record)
        assert all(found.values()), (seed, found)
        if seed % 4:
            continue
        exact = record["exact"]
        keys = [key for key in found if key in exact and positions(exact[key])]
        changed = {}
        for key in keys:
            place = random.choice(positions(exact[key]))
            value = exact[key]
            for index in place:
                value = value[index]
            if value is not None:
                changed[key] = with_entry(exact[key], place, lambda x: str(Fraction(x) + 1))
            elif place and key.startswith("d"):
                changed[key] = with_entry(exact[key], place, lambda _: "12345/1000003")
        found = judged(document, changed)
        assert not any(found.values()), (seed, found)
        other = random.choice([one for one in statuses if one != record["status"]] or ["unbounded"])
        if other != record["status"]:
            assert judged(document, {"status": other}) == {"status": False}
    assert len(statuses) >= 5, statuses


def test_each_side_holds_as_such_and_not_as_the_other() -> None:
    differing = 0
    for seed in range(15 if IS_THOROUGH else 6):
        document = random_program(Random(f"sides {seed}"))
        exact = solved(document)["exact"]
        for name, sides in exact["one_sided"].items():
            key, _, rest = name.partition("[")
            index = int(rest[1:-1]) - 1 if rest else int(name[1:]) - 1
            key = key if rest else name[0]

            for side, other in (("left", "right"), ("right", "left")):
                claim = {f"dz_d{key}": with_column(exact[f"dz_d{key}"], index, side, sides[side])}
                assert all(judged(document, claim).values()), (seed, name, side)
                if sides[side] != sides[other]:
                    differing += 1
                    claim = {f"dz_d{key}": with_column(exact[f"dz_d{key}"], index, side, sides[other])}
                    assert not any(judged(document, claim).values()), (seed, name, side)
    assert differing > 10


def with_column(rows: list[list[Any]], index: int, side: str, slope: Any) -> list[list[Any]]:
    """Return a Jacobian with a column claimed from one side."""
    column = [{side: entry} for entry in ([slope] * len(rows) if isinstance(slope, str) else slope["dz"])]
    return [[column[i] if j == index else cell for j, cell in enumerate(row)] for i, row in enumerate(rows)]


CLAIMED = f"""\
{BAKERY}expect:
  status: differentiable
  dL_dq: [-3/5, -3/10]
---
{VERTEX}expect:
  lambda: [1, 1, 1]
  dL_dh:
    - {{right: 0}}
    - 1/2
    - null
"""
LINEAR = "A: [[1, 2], [3, 4]]\nexpect: {rank: 2}\n"
CLAIMED_SAID = """\
claimed.yaml:19:3: dL_dh fails: 1 of 3 entries; a one-sided derivative is claimed as {left: ...} or {right: ...}
  dL_dh[2] (∂L/∂h2): claimed 1/2, but it is 1 from the left and 0 from the right
"""


def test_programs_and_systems_are_checked_together(run: Run) -> None:
    result = run("check", ".", files={"claimed.yaml": CLAIMED, "linear.yaml": LINEAR, "silent.yaml": VERTEX})
    assert (result.returncode, result.stderr) == (1, "")
    table, _, said = result.stdout.partition("\n\n")
    assert (
        table
        == """\
system           claim    verdict   claimed
────────────────────────────────────────────────────────────
claimed.yaml     status   holds     differentiable
                 dL_dq    holds     -3/5 -3/10
claimed.yaml#2   lambda   holds     1 1 1
                 dL_dh    FAILS     · 1/2 null, right: 0 · ·
linear.yaml      rank     holds     2
silent.yaml               open      solved, nothing claimed"""
    )
    assert said.startswith(CLAIMED_SAID)
    assert said.endswith("\n5 claims about 4 systems: 4 hold, 1 fails; 1 system solved, nothing claimed\n")
    strict = run("check", ".", "--strict", "-q")
    assert strict.returncode == 1
    assert "silent.yaml: expect fails: nothing is claimed\n" in strict.stdout


def test_reports_for_machines_have_the_claims_of_programs(run: Run, tmp_path: Any) -> None:
    files = {"claimed.yaml": CLAIMED}
    result = run("check", "claimed.yaml", "--format", "json", "--junit", "report.xml", "--github", files=files)
    assert result.returncode == 1
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["source"], first["status"], first["holds"]) == ("claimed.yaml", "differentiable", True)
    assert (second["source"], second["status"], second["holds"]) == ("claimed.yaml#2", "one-sided", False)
    (failing,) = [claim for claim in second["claims"] if not claim["holds"]]
    assert (failing["claim"], failing["failing"], failing["line"], failing["column"]) == ("dL_dh", 1, 19, 3)
    worst = failing["worst"]
    assert (worst["entry"], worst["claimed"], worst["correct"], worst["difference"]) == ("dL_dh[2]", 0.5, None, None)
    assert worst["instead"] == "1 from the left and 0 from the right"
    assert result.stderr.startswith("::error file=claimed.yaml,line=19,col=3,title=dL_dh fails::")
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["4", "1", "0", "0"]


def test_json_lines_and_standard_input(run: Run) -> None:
    claimed = '{"P": [[1]], "q": [-1], "expect": {"z": [1]}}\n{"P": [[1]], "q": [-1], "expect": {"z": [2]}}\n'
    for result in (run("check", "-", stdin=claimed), run("check", "many.jsonl", files={"many.jsonl": claimed})):
        assert (result.returncode, result.stderr) == (1, "")
        assert "claimed 2, correct is 1, difference 1\n" in result.stdout
        assert result.stdout.endswith("2 claims about 2 systems: 1 holds, 1 fails\n")


@pytest.mark.parametrize("limited", [[], ["--time-limit", "20"]], ids=["", "time limit"])
def test_requirements_are_claims(run: Run, limited: list[str]) -> None:
    files = {"bakery.yaml": BAKERY, "vertex.yaml": VERTEX, "none.yaml": INFEASIBLE, "face.yaml": FACE}
    expected = {
        "differentiable": {"bakery.yaml"},
        "optimal": {"bakery.yaml", "vertex.yaml", "face.yaml"},
        "unique-z": {"bakery.yaml", "vertex.yaml"},
        "one-sided": {"vertex.yaml"},
        "unique-dL_dx": {"bakery.yaml"},
        "determined": set(),
    }
    for requirement, met in expected.items():
        if requirement == "one-sided":  # not an option's value
            continue
        result = run("check", *files, "--require", requirement, "--format", "json", *limited, files=files)
        assert (result.returncode, result.stderr) == (1, "")
        records = [json.loads(line) for line in result.stdout.splitlines()]
        assert {record["source"] for record in records if record["holds"]} == met, requirement
    result = run("check", "linear.yaml", "--require", "differentiable", "-q", files={"linear.yaml": LINEAR})
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout == (
        "linear.yaml: status (--require) fails: claimed differentiable, correct is determined: rank 2 of 2 unknowns\n"
    )


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ("{stauts: infeasible}", "8:10: expect: unknown key 'stauts'; expected one of status, objective"),
        (
            "{status: optimal}",
            "8:18: expect.status: expected one of differentiable, constrained, one-sided, not-unique, "
            "infeasible, unbounded, got 'optimal'",
        ),
        ("{z: [1, 2, 3]}", "8:13: expect.z has 3 entries; expected 2, one for each unknown"),
        ("{z: 3}", "8:13: expect.z: expected a list of numbers (1×2), got '3'"),
        ("{z: [1, two]}", "8:17: expect.z[2]: expected a number such as -12, 0.5, 1e-3 or 3/4, got 'two'"),
        (
            "{active: ovens}",
            "8:18: expect.active[1]: expected one of flour, oven, labour, lb[bread], lb[cake], got 'ovens'. Did you "
            "mean oven?",
        ),
        ("{active: [oven, oven]}", "8:25: expect.active[2]: duplicate name 'oven'"),
        (
            "{active: [ovn]}",
            "8:19: expect.active[1]: expected one of flour, oven, labour, lb[bread], lb[cake], got 'ovn'."
            " Did you mean oven?",
        ),
        (
            "{dz_dx: [[1], [2]]}",
            "8:17: expect.dz_dx is claimed of a program in letters; expected dz_dq, dz_dh, ... for this one",
        ),
        (
            "{dL_dh: [0, {rigth: 1}, 0]}",
            "8:21: expect.dL_dh[2]: expected numbers, or left and right with one-sided "
            "derivatives, got 'rigth'. Such as {left: 1, right: 0}",
        ),
        (
            "{dL_dh: {middle: [0, 1, 0]}}",
            "8:17: expect.dL_dh: expected numbers, or left and right with one-sided "
            "derivatives, got 'middle'. Such as {left: 1, right: 0}",
        ),
        (
            "{z: {left: [1, 2]}}",
            "8:13: expect.z: expected numbers, got {left}. Derivatives in q, h, lb, ub, b and letters "
            "can be claimed from one side",
        ),
        (
            "{dL_dh: [0, {left: x}, 0]}",
            "8:21: expect.dL_dh[2]: expected a number such as -12, 0.5, 1e-3 or 3/4, got 'x'",
        ),
        (
            "{dL_dh: {left: [0, x, 0]}}",
            "8:28: expect.dL_dh.left[2]: expected a number such as -12, 0.5, 1e-3 or 3/4, got 'x'",
        ),
        ("{nu: [1]}", "8:14: expect.nu: expected no entry, got a list. Write it as []"),
        (
            "{dz_dh: [[1, 2], [1, 2], [1, 2]]}",
            "8:17: expect.dz_dh has 3 rows; expected 2, one for each unknown. It has the shape of the transpose",
        ),
        ("{tolerance: 1e-3}", "8:21: expect.tolerance: expected {rtol: 1e-6}, got '1e-3'"),
        ("{tolerance: {rtol: -1}}", "8:28: expect.tolerance.rtol: expected a number of 0 or more, got '-1'"),
    ],
)
def test_a_claim_without_sense_is_an_error_at_its_place(run: Run, claims: str, said: str) -> None:
    result = run("check", "bakery.yaml", "-q", files={"bakery.yaml": f"{BAKERY}expect: {claims}\n"})
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"implicitgrad: bakery.yaml:{said}")
    assert result.stderr.count("\n") == 1


def test_a_mapping_in_place_of_a_sides_number_is_an_error(run: Run) -> None:
    text = "P: [[1]]\nq: [1]\ndL_dz: [1]\nexpect: {dL_dq: {left: {up: 1}}}\n"
    result = run("check", "-", "-q", stdin=text)
    assert (result.returncode, result.stdout) == (2, "")
    message = "expect.dL_dq.left[1]: expected a number such as -12, 0.5, 1e-3 or 3/4, got a mapping"
    assert result.stderr == f"implicitgrad: -:4:24: {message}\n"


def test_a_gradient_needs_a_loss(run: Run) -> None:
    result = run("check", "-", "-q", stdin="q: [1]\nlb: 0\nexpect: {dL_dq: [0]}\n")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "implicitgrad: -:3:17: expect.dL_dq needs dL_dz, and there is none\n"


def test_options_of_linear_systems_and_update_are_refused(run: Run) -> None:
    files = {"bakery.yaml": BAKERY}
    for options, said in (
        (("-B", "1 1"), "-B is for linear systems and equations, not for a program"),
        (
            ("--dydx", "1 1"),
            "--dydx: dy_dx is claimed of linear systems; expected dz_dq, dz_dh and dz_db for a program",
        ),
        (
            ("--dldx", "1 1"),
            "--dldx: dL_dx is claimed of a program in letters; expected dL_dq, dL_dh, ... for this one",
        ),
        (
            ("--max-condition", "9"),
            "--max-condition: condition is claimed of linear systems; expected none of the "
            "condition number for a program",
        ),
        (
            ("--update",),
            "--update writes claims about linear systems; bakery is a quadratic program. The record that "
            "solve --format json prints can stand under expect",
        ),
    ):
        result = run("check", "bakery.yaml", *options, files=files)
        assert result.returncode == 2
        assert result.stderr == f"implicitgrad: bakery.yaml: {said}\n"


def test_update_leaves_a_program_whose_claims_hold(run: Run, tmp_path: Any) -> None:
    right = f"{BAKERY}expect: {{z: [1.4, 1.7]}}\n"
    result = run("check", "--update", "right.yaml", files={"right.yaml": right})
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == "implicitgrad: nothing to update, every claim holds\n"
    mixed = f"{right}---\nA: [[2]]\nexpect: {{rank: 2}}\n"
    result = run("check", "--update", "mixed.yaml", files={"mixed.yaml": mixed})
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "mixed.yaml").read_text("utf-8") == mixed.replace("rank: 2", "rank: 1")
    wrong = mixed.replace("1.7", "1.8")
    result = run("check", "--update", "wrong.yaml", files={"wrong.yaml": wrong})
    assert (result.returncode, result.stdout) == (2, "")
    assert (tmp_path / "wrong.yaml").read_text("utf-8") == wrong


def test_losses_have_rows_or_matrices_of_their_own() -> None:
    text = BAKERY.replace("[1, 1]", "[[1, 1], [0, 1]]")
    record = solved({**json_of(text)})["exact"]
    assert outcome(text, "dL_dq", record["dL_dq"]).holds
    assert outcome(text, "dL_dP", record["dL_dP"]).holds
    wrong = with_entry(record["dL_dP"], (1, 0, 1), lambda _: "9")
    found = outcome(text, "dL_dP", wrong)
    assert not found.holds
    assert found.worst is not None
    assert (found.worst.entry, found.worst.meaning) == ("dL_dP[2][1][2]", "∂L2/∂P[1][2]")


def json_of(text: str) -> dict[str, Any]:
    import yaml

    return yaml.safe_load(text)  # type: ignore[no-any-return]


class Tensor:
    """What only numpy.asarray can convert."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.values


def test_claims_from_python() -> None:
    program: dict[str, Any] = {
        "P": np.eye(2) * 2, "q": [-2, -5], "G": Tensor([[1, 2], [-1, 2], [-1, -2]]), "h": np.array([6, 2, 2]), "lb": 0,
        "dL_dz": np.array([1.0, 1.0]), "names": {"z": ["bread", "cake"], "G": ["flour", "oven", "labour"]},
    }  # fmt: skip
    right = {
        "status": "differentiable", "objective": -6.45, "z": np.array([1.4, 1.7]), "lambda_": ["0", "4/5", "0"],
        "active": ["oven"], "dL_dq": Tensor([-0.6, -0.3]), "dL_dh": {"right": np.array([0, 0.2, 0])},
        "dz_dh": [[0, Fraction(-1, 5), 0], [0, {"left": "2/5"}, 0]],
        "dL_dG": np.array([[0, 0], [-0.76, -0.58], [0, 0]]),
    }  # fmt: skip
    verdict = implicitgrad.check_program(**program, **right)
    assert verdict
    assert str(verdict) == "status, objective, z, lambda, active, dz_dh, dL_dq, dL_dh, dL_dG: all hold"
    wrong = implicitgrad.check_program(**program, dL_dq=Tensor([0.6, 0.3]))
    assert not wrong
    assert str(wrong).splitlines() == [
        "dL_dq fails: 2 of 2 entries",
        "worst dL_dq[1] (∂L/∂q[bread]): claimed 0.6, correct is -0.6, difference ≈1.20, allowed ≈5.11e-15",
        "the claim is the negative of ∂L/∂q: is a sign flipped?",
    ]
    single = np.array([-0.6, -0.3], dtype="float32")
    assert implicitgrad.check_program(**program, dL_dq=single)
    assert not implicitgrad.check_program(**program, dL_dq=single.astype(float))
    assert implicitgrad.check_program(**program, dL_dq=[-0.61, -0.3], atol=0.02)
    assert not implicitgrad.check_program(**program, dL_dq=[float("nan"), -0.3])
    solution = implicitgrad.check_program(**program, z=None).solution
    assert solution.status == "differentiable"


def test_mistakes_in_calls_are_type_errors_or_input_errors() -> None:
    with pytest.raises(TypeError, match=r"expected a claim: .*; got none"):
        implicitgrad.check_program([[1]], [1])
    with pytest.raises(TypeError, match=r"expected a claim: .*; got 'dL_dy'"):
        implicitgrad.check_program([[1]], [1], dL_dy=[1])
    for claim, said in (
        ({"z": [1, 2]}, "z has 2 entries; expected 1, one for each unknown"),
        ({"z": [object]}, "z[1]: expected a number such as -12, 0.5, 1e-3 or 3/4, got '<class 'object'>'"),
        ({"dL_dq": [1]}, "dL_dq needs dL_dz, and there is none"),
        ({"dz_dq": {"up": [[1]]}}, "dz_dq: expected numbers, or left and right with one-sided derivatives, got 'up'"),
    ):
        with pytest.raises(implicitgrad.InputError) as error:
            implicitgrad.check_program([[1]], [1], **claim)
        assert said in str(error.value)


def test_an_entry_with_the_wrong_sign_is_not_taken_for_rounding() -> None:
    P, q, g = np.diag([1e-8, 1.0]), np.array([-1.0, -1.0]), np.ones(2)
    assert implicitgrad.check_program(P, q, dL_dz=g, dL_dq=np.array([-1e8, -1.0]))
    for wrong in (1.0, 0.0, -2.0):
        verdict = implicitgrad.check_program(P, q, dL_dz=g, dL_dq=np.array([-1e8, wrong]))
        (found,) = verdict.outcomes
        assert (found.holds, found.is_undecided) == (False, True)
        assert f"dL_dq[2] (∂L/∂q[z2]): claimed {wrong}, correct is -1, " in found.reason
    assert implicitgrad.check_program(P, q, dL_dz=g, dL_dq=np.array([-1e8, -2.0]), rtol=1)
