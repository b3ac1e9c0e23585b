"""Derivatives of quadratic programs in their letters, against programs solved again beside the point."""

from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import NamedTuple

import pytest
from conftest import IS_THOROUGH

from implicitgrad import InputError
from implicitgrad.model.program.problem import Loss, QuadraticProgram
from implicitgrad.model.program.solution import Missing, ProgramSolution, ProgramStatus, Slope
from implicitgrad.model.spec import SourceValue
from implicitgrad.readers.equations.reader import EquationLine, Point
from implicitgrad.readers.program.expressions import Objective, read_program, split_name
from implicitgrad.solvers.program.solver import solve_program

STEP = Fraction(1, 10**12)
TOLERANCE = Fraction(1, 10**18)
"""Of Richardson's extrapolation, whose error is a multiple of STEP²."""
Values = dict[str, Fraction]


def read(
    objective: str, constraints: Sequence[str], z: str, at: Values, *, is_maximum: bool = False
) -> QuadraticProgram:
    return read_program(
        Objective(EquationLine(objective, "-"), is_maximum),
        [split_name(EquationLine(text, "-")) for text in constraints],
        SourceValue(z.split()),
        Point({name: EquationLine(str(value), "-") for name, value in at.items()}),
        "-",
    )


class Statement(NamedTuple):
    """A program as text."""

    objective: str
    constraints: list[str]
    z: str
    at: Values
    is_maximum: bool = False

    def read(self, at: Values | None = None) -> QuadraticProgram:
        return read(self.objective, self.constraints, self.z, at or self.at, is_maximum=self.is_maximum)

    def solve(self, *losses: list[int]) -> ProgramSolution:
        program = self.read()
        m, p = len(program.h), len(program.b)
        return solve_program(
            program._replace(
                losses=tuple(
                    Loss(tuple(map(Fraction, loss)), (Fraction(0),) * m, (Fraction(0),) * p) for loss in losses
                ),
                has_one_loss=False,
            )
        )

    def slope(self, letter: str, side: int) -> list[Fraction] | str:
        """Return the derivative of z from one side by solving again twice, or why there is none."""
        at_point = solve_program(self.read()).z
        assert at_point is not None
        quotients = []
        for step in (STEP, STEP / 2):
            beside = solve_program(self.read({**self.at, letter: self.at[letter] + side * step}))
            if not beside.is_unique:
                return str(beside.status)
            assert beside.z is not None
            quotients.append([(z - z0) / (side * step) for z, z0 in zip(beside.z, at_point, strict=True)])
        return [2 * half - whole for whole, half in zip(*quotients, strict=True)]


def agrees(claimed: Slope | Missing, truth: list[Fraction] | str) -> bool:
    if isinstance(claimed, Missing) or isinstance(truth, str):
        return str(claimed) == truth
    return all(abs(a - b) < TOLERANCE for a, b in zip(claimed.z, truth, strict=True))


def verify(statement: Statement, losses: Sequence[list[int]] = ()) -> tuple[ProgramSolution, list[str]]:
    """Compare every derivative that is given with the programs beside. Return the undecided letters, too."""
    found = statement.solve(*losses)
    if not found.is_unique:
        assert found.by_letter is None
        return found, []
    derivatives = found.by_letter
    assert derivatives is not None
    assert [parameter.name for parameter in derivatives.parameters] == list(statement.at)
    undecided = []
    for k, letter in enumerate(statement.at):
        column = [row[k] for row in derivatives.z]
        slopes = [row[k] for row in derivatives.losses]
        if letter in derivatives.one_sided:
            sides = derivatives.one_sided[letter]
            assert not sides.z_agrees
            assert set(column) == {None}
            for side, claimed in ((-1, sides.left), (1, sides.right)):
                assert agrees(claimed, statement.slope(letter, side)), (statement, letter, side)
                if isinstance(claimed, Slope):
                    assert list(claimed.losses) == [weigh(loss, claimed.z) for loss in losses]
            assert slopes == [sides.loss(j) for j in range(len(losses))]
        elif None in column:
            assert set(column) == {None}
            assert set(slopes) <= {None}
            undecided.append(letter)
        else:
            claimed = Slope(tuple(column), ())  # type: ignore[arg-type]
            for side in (-1, 1):
                assert agrees(claimed, statement.slope(letter, side)), (statement, letter, side)
            assert slopes == [weigh(loss, claimed.z) for loss in losses]
    reasons = [message for code, message in found.remarks if code == "not-decided"]
    assert len(reasons) == len(undecided)
    for letter, reason in zip(undecided, reasons, strict=True):
        assert reason.startswith(f"∂z/∂{letter} is not decided: ")
    return found, undecided


def weigh(loss: list[int], z: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(loss, z, strict=True)), Fraction(0))


def given(**values: int | str) -> Values:
    return {name: Fraction(value) for name, value in values.items()}


CASES = {
    "nothing active": (Statement("(z1 - c)^2 + (z2 - c*d)^2", ["z1 <= 9"], "z1 z2", given(c=2, d=3)), {}),
    "one strong, letters everywhere": (
        Statement("(z1 - c1)^2 + c2*(z2 - c2)^2", ["k*z1 + 2*z2 <= cap/k"], "z1 z2", given(c1=1, c2="5/2", k=1, cap=4)),
        {},
    ),
    "equality with letters": (
        Statement("z1^2 + c*z2^2 + c*z1*z2", ["z1 + c*z2 = 1/c", "z1 >= -9"], "z1 z2", given(c=2)),
        {},
    ),
    "relu at 0": (Statement("(z1 - c)^2", ["z1 >= 0"], "z1", given(c=0)), {"c": (0, 1)}),
    "relu at 2": (Statement("(z1 - c)^2", ["z1 >= 0"], "z1", given(c=2)), {}),
    "weak, letter in P": (Statement("c*z1^2/2 - 2*z1", ["z1 <= 1"], "z1", given(c=2)), {"c": (0, "-1/2")}),
    "weak, letter in G": (Statement("z1^2/2 - z1", ["c*z1 <= 1"], "z1", given(c=1)), {"c": (0, -1)}),
    "weak, letter in A": (
        Statement("z1^2 + z2^2", ["z1 + c*z2 = 5/2", "z2 <= 1"], "z1 z2", given(c=2)),
        {"c": (0, "-3/10")},
    ),
    "weak, squared": (Statement("(z1 - c^2)^2", ["z1 >= 1"], "z1", given(c=1)), {"c": (0, 2)}),
    "exchangeable, letter in P": (
        Statement("c*z1^2 + z2^2 - 9*z1 - 8*z2", ["z1 + z2 <= 1", "2*z1 + 2*z2 <= 2"], "z1 z2", given(c=2)),
        {},
    ),
    "exchangeable, letter in q not affinely": (
        Statement("z1^2 + z2^2 - 9*c^3*z1 - 8*z2", ["z1 + z2 <= 1", "2*z1 + 2*z2 <= 2"], "z1 z2", given(c=1)),
        {},
    ),
    "exchangeable, letter in h": (Statement("-z1", ["z1 <= c", "z1 <= 1"], "z1", given(c=1)), {"c": (1, 0)}),
    "exchangeable, letter in both h": (Statement("-z1", ["z1 <= c", "2*z1 <= 2*c"], "z1", given(c=1)), {}),
    "three lines through a vertex": (
        Statement("-z1 - z2", ["z1 <= c", "z2 <= 1", "z1 + z2 <= 2*d"], "z1 z2", given(c=1, d=1)),
        {},
    ),
    "dependent equalities along their constraint": (
        Statement("z1^2 + z2^2", ["z1 + z2 = c", "2*z1 + 2*z2 = 2*c"], "z1 z2", given(c=1)),
        {},
    ),
    "dependent equalities, the letter elsewhere": (
        Statement("c*z1^2 + z2^2 + z3^2", ["z1 + z2 = 1", "2*z1 + 2*z2 = 2", "c*z3 = 1"], "z1 z2 z3", given(c=2)),
        {},
    ),
    "an equality fixed twice": (
        Statement("z1^2", ["z1 = c", "z1 = 1"], "z1", given(c=1)),
        {"c": ("infeasible", "infeasible")},
    ),
    "fixed from both sides": (
        Statement("z1^2", ["z1 <= c", "z1 >= 0", "z1 <= 5"], "z1", given(c=0)),
        {"c": ("infeasible", 0)},
    ),
    "a face opens": (Statement("0*z1", ["z1 <= c", "z1 >= 0"], "z1", given(c=0)), {"c": ("infeasible", "not-unique")}),
    "no part of it is near": (
        Statement("z1^2", ["z1 <= 0", "2*z1 <= 0", "c^2*z1 <= 5*c^3"], "z1", given(c=1)),
        {},
    ),
    "maximize": (
        Statement("c*z1 - z1^2/2 + 7", ["z1 <= 3*c", "z1 <= 2"], "z1", given(c="3/2"), is_maximum=True),
        {},
    ),
}


@pytest.mark.parametrize(("statement", "expected"), CASES.values(), ids=CASES.keys())
def test_derivatives_in_letters_are_those_of_programs_beside(
    statement: Statement, expected: dict[str, tuple[object, object]]
) -> None:
    n = len(statement.z.split())
    found, undecided = verify(statement, [[1] * n, list(range(n))])
    assert not undecided
    assert found.by_letter is not None
    if expected:
        assert found.by_letter.one_sided.keys() == expected.keys()
        for letter, pair in expected.items():
            sides = found.by_letter.one_sided[letter]
            for side, value in zip((sides.left, sides.right), pair, strict=True):
                assert side == value if isinstance(side, Missing) else side.z[-1] == Fraction(str(value))


def test_functions_have_derivatives_where_their_values_are_rational() -> None:
    objective = "(z1 - sqrt(c) - log(d) - exp(e - 1) - cos(d - 1) + (8*d)^(-2/3) - cbrt(-e) - abs(1 - 3*e))^2"
    found = Statement(objective, ["z1 >= abs(-d)"], "z1", given(c=4, d=1, e=1)).solve()
    assert found.z == (2 + 0 + 1 + 1 - Fraction(1, 4) - 1 + 2,)
    assert found.by_letter is not None
    by_hand = (Fraction(1, 4), 1 + Fraction(1, 6), 1 - Fraction(1, 3) + 3)
    assert found.by_letter.z == (by_hand,)


UNDECIDED = {
    "z <= -c^2 and -z <= -c^2": (
        Statement("z1^2/2 - z1", ["z1 <= -c^2", "-z1 <= -c^2"], "z1", given(c=0)),
        "the active constraints are linearly dependent, and c does not enter affinely",
    ),
    "the same, c^2 as a product": (
        Statement("z1^2/2 - z1", ["z1 <= -c*c", "-z1 <= -c*c"], "z1", given(c=0)),
        "the active constraints are linearly dependent, and c does not enter affinely",
    ),
    "equalities that meet in a line": (
        Statement("z1^2 + z2^2", ["z1 + z2 = 1", "c*z1 + z2 = 1"], "z1 z2", given(c=1)),
        "equalities that it enters are linearly dependent, and c enters coefficients of equalities",
    ),
    "inequalities that meet in a line": (
        Statement("(z1 - 1)^2 + (z2 - 1)^2", ["z1 + z2 <= 1", "c*z1 + z2 <= 1"], "z1 z2", given(c=1)),
        "the active constraints are linearly dependent, and c enters coefficients of inequalities",
    ),
    "unique by weak constraints alone": (
        Statement("z2^2 + c*z1*z2", ["z1 >= 0", "z1 <= z2"], "z1 z2", given(c=0)),
        "z is unique only by what is weakly active, h1, h2, and c enters the quadratic terms",
    ),
}


@pytest.mark.parametrize(("statement", "reason"), UNDECIDED.values(), ids=UNDECIDED.keys())
def test_what_the_theory_does_not_reach_is_not_decided(statement: Statement, reason: str) -> None:
    n = len(statement.z.split())
    found, undecided = verify(statement, [[1] * n])
    assert undecided == ["c"]
    assert ("not-decided", f"∂z/∂c is not decided: {reason}") in found.remarks


def test_z_may_jump_where_nothing_is_decided() -> None:
    statement, _ = UNDECIDED["equalities that meet in a line"]
    beside = solve_program(statement.read({"c": 1 + STEP}))
    assert (statement.solve().z, beside.z) == ((Fraction(1, 2), Fraction(1, 2)), (0, 1))


@pytest.mark.parametrize(
    ("objective", "is_maximum", "sides"),
    [
        ("c*z1^2 + z1", False, "<"),
        ("-c*z1^2 + z1", False, ">"),
        ("c*z1^2 - z1", True, ">"),
        ("(1 + c)*z1^2 + z1", False, ""),
        ("c^2*z1^2 + z1", False, ""),
        ("z2^2 + c*z1*z2 + z1", False, "><"),
        ("z2^2 + c*z1*z2 + c^2*z1^2 + z1", False, ""),
        ("c*z1*z2 + z1 + z2", False, "><"),
    ],
)
def test_a_side_on_which_the_objective_is_not_convex_is_named(objective: str, is_maximum: bool, sides: str) -> None:
    z = "z1 z2" if "z2" in objective else "z1"
    constraints = [f"{name} >= 0" for name in z.split()]
    found = Statement(objective, constraints, z, given(c=0), is_maximum).solve()
    what = ("concave", "maximum") if is_maximum else ("convex", "minimum")
    assert found.remarks == tuple(
        (
            "not-convex-nearby",
            f"the objective is not {what[0]} for c {side} 0, however close: from there the derivative is that of a "
            f"local {what[1]}",
        )
        for side in sides
    )
    for value, side in ((-STEP, "<"), (STEP, ">")):
        program = Statement(objective, constraints, z, {"c": value}, is_maximum)
        if side in sides:
            with pytest.raises(InputError):
                program.solve()
        else:
            assert program.solve().z is not None


def test_losses_of_multipliers_follow_the_chain_rule() -> None:
    statement = Statement(
        "(z1 - c)^2 + c*z2^2", ["z1 + c*z2 <= -1", "z1 - z2 = 3*c", "z2 >= -9"], "z1 z2", given(c="1/3")
    )
    program = statement.read()
    loss = Loss(tuple(map(Fraction, (5, 7))), tuple(map(Fraction, (11, 13))), (Fraction(17),))
    found = solve_program(program._replace(losses=(loss,), has_multiplier_losses=True))
    assert found.status is ProgramStatus.DIFFERENTIABLE
    assert found.strong == (0,)

    def value(c: Fraction) -> Fraction:
        beside = solve_program(statement.read({"c": c}))
        assert beside.z is not None
        terms = [(loss.z, beside.z), (loss.multipliers, beside.multipliers)]
        terms.append((loss.equality_multipliers, beside.equality_multipliers))
        return sum((a * b for pair in terms for a, b in zip(*pair, strict=True)), Fraction(0))  # type: ignore[operator]

    c = statement.at["c"]
    whole, half = ((value(c + step) - value(c - step)) / (2 * step) for step in (STEP, STEP / 2))
    assert found.by_letter is not None
    assert abs((4 * half - whole) / 3 - found.by_letter.losses[0][0]) < TOLERANCE  # type: ignore[operator]


COEFFICIENTS = ["1", "2", "-1", "0", "c", "-c", "c*d", "(d - 1)^2", "1/(c + 3)", "c/d", "d^-1", "2*d - 3*c"]


def random_statement(random: Random) -> Statement:
    """Return a convex program of squares, with constraints of which several are tight at one point."""
    n = random.randint(1, 3)
    z = [f"z{j + 1}" for j in range(n)]
    at = {"c": Fraction(random.randint(-1, 2)), "d": Fraction(random.choice([1, 2]))}
    target = [random.randint(-1, 1) for _ in z]

    def form() -> str:
        return " + ".join(f"({random.choice(COEFFICIENTS)})*{name}" for name in z)

    def at_target(text: str) -> str:
        for name, value in zip(z, target, strict=True):
            text = text.replace(name, f"({value})")
        return text

    def letters() -> str:
        return random.choice(["", "", " + c - ({c})", " + 2*d - 2*({d})", " + c^2 - ({c})^2"]).format(**at)

    squares = []
    for _ in range(random.randint(0, n + 1)):
        inner = form()
        shift = at_target(inner) if random.random() < 0.5 else str(random.randint(-2, 2))
        squares.append(f"({inner} - ({shift}))^2")
    squares += [f"({random.choice(COEFFICIENTS)})*{name}" for name in z if random.random() < 0.4]
    constraints = []
    for _ in range(random.randint(1, n + 2)):
        left = form()
        if constraints and random.random() < 0.3:
            left = f"2*({random.choice(constraints).split(' <')[0].split(' =')[0]})"
        sign = random.choice(["<=", "<=", "<=", "="])
        constraints.append(f"{left} {sign} {at_target(left)}{letters()}")
    constraints += [f"-3 <= {name} <= 3" for name in z]
    names = "".join([*squares, *constraints])
    objective = " + ".join(squares) or "0"
    return Statement(objective, constraints, " ".join(z), {name: value for name, value in at.items() if name in names})


def test_derivatives_in_letters_of_random_programs() -> None:
    random, seen, undecided = Random(1), set(), 0
    for _ in range(200 if IS_THOROUGH else 40):
        statement = random_statement(random)
        found, left_out = verify(statement, [[1, -2, 3][: len(statement.z.split())]])
        seen.add(found.status)
        if found.by_letter is not None:
            seen |= {("one-sided", name) for name in found.by_letter.one_sided}
        undecided += len(left_out)
    assert seen >= {*ProgramStatus} - {ProgramStatus.UNBOUNDED, ProgramStatus.INFEASIBLE} | {
        ("one-sided", "c"),
        ("one-sided", "d"),
    }
    assert undecided


def random_affine_statement(random: Random) -> Statement:
    """Return a program whose letters are affine in q, h and b, with parallel constraints tight at one point."""
    n = random.randint(1, 3)
    z = [f"z{j + 1}" for j in range(n)]
    at = {"c": Fraction(random.randint(-1, 2)), "d": Fraction(random.choice([1, 2]))}
    target = [random.randint(-1, 1) for _ in z]

    def spell(form: list[int]) -> str:
        return " + ".join(f"({factor})*{name}" for factor, name in zip(form, z, strict=True))

    def value(form: list[int]) -> int:
        return sum(a * b for a, b in zip(form, target, strict=True))

    def letters() -> str:
        return random.choice(["", " + c - ({c})", " + 2*d - 2*({d})", " - c - d + ({c}) + ({d})"]).format(**at)

    forms = [[random.randint(-2, 2) for _ in z] for _ in range(2 * n)]
    squares = [f"({spell(form)} - ({value(form)}){letters()})^2" for form in forms[: random.randint(0, n)]]
    costs = [f"({random.choice(['1', '-1', 'c', 'd - 1', 'c*d'])})*{name}" for name in z if random.random() < 0.4]
    constraints = []
    for _ in range(random.randint(1, n + 2)):
        factor, form = random.choice([1, 1, 2, -1]), random.choice(forms[n:])
        form = [factor * entry for entry in form]
        constraints.append(f"{spell(form)} {random.choice(['<=', '<=', '>=', '='])} {value(form)}{letters()}")
    constraints += [f"-3 <= {name} <= 3" for name in z]
    names = "".join([*squares, *costs, *constraints])
    given = {name: number for name, number in at.items() if name in names}
    return Statement(" + ".join([*squares, *costs]) or "0", constraints, " ".join(z), given)


def test_letters_that_are_affine_are_always_decided() -> None:
    random, seen = Random(4), set()
    for _ in range(100 if IS_THOROUGH else 20):
        statement = random_affine_statement(random)
        found, undecided = verify(statement, [[1, -2, 3][: len(statement.z.split())]])
        assert not undecided
        if found.by_letter is not None:
            for sides in found.by_letter.one_sided.values():
                seen |= {str(side) if isinstance(side, Missing) else "slope" for side in sides}
    assert seen == {"slope", "infeasible", "not-unique"}
