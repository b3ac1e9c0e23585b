"""Quadratic programs in letters: minimize (z1 - c)^2 subject to z1 + z2 <= cap, at c = 1, cap = 6.

The objective and the constraints are expanded as polynomials in the unknowns; their coefficients, expressions of the
letters, are rational numbers at the point, and have derivatives there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from implicitgrad.model.program.problem import QuadraticProgram
from implicitgrad.model.spec import SourceValue
from implicitgrad.readers.equations.reader import EquationLine, Point, expression_problem, given_names
from implicitgrad.readers.program.polynomials import ConstraintRow, negated, program_of_polynomials
from implicitgrad.symbolic.grammar.constraints import AT_LEAST, EQUAL, RELATION, Relation, read_relations
from implicitgrad.symbolic.grammar.expressions import ExpressionError, Node, names_in, read_expression
from implicitgrad.symbolic.grammar.functions import CONSTANTS, FUNCTIONS, as_product
from implicitgrad.symbolic.polynomials.dual_numbers import ZERO
from implicitgrad.symbolic.polynomials.expander import Expander, Polynomial
from implicitgrad.text.characters import quoted
from implicitgrad.text.errors import InputError, Problem

MAX_UNKNOWNS = 1000
_OBJECTIVE = "an objective of degree 2 at most in the unknowns"
_CONSTRAINT = "a constraint that is linear in the unknowns"
_ABS = "|u| is minimised as a further unknown t with u <= t and -u <= t"
_MAX = "max(u, v) is minimised as a further unknown t with u <= t and v <= t"


class ConstraintLine(NamedTuple):
    """A constraint as written."""

    line: EquationLine
    name: str | None = None
    """None: its rows are called h1, … and b1, … by their numbers in G and A."""


class Objective(NamedTuple):
    """An expression to be minimised or maximised."""

    line: EquationLine
    is_maximum: bool = False

    @property
    def key(self) -> str:
        """Its key in a file."""
        return "maximize" if self.is_maximum else "minimize"


def split_name(line: EquationLine) -> ConstraintLine:
    """Split the name off a constraint that is written as one text: ``capacity: z1 + 2*z2 <= cap``."""
    name, colon, rest = line.text.partition(":")
    if not colon:
        return ConstraintLine(line)
    return ConstraintLine(line._replace(text=" " * (len(name) + 1) + rest), name.strip())


def read_program(
    objective: Objective,
    constraints: Sequence[ConstraintLine],
    z: SourceValue | None,
    point: Point | None,
    source: str,
) -> QuadraticProgram:
    """Read a program at a point. Raise InputError.

    z : the unknowns' names. point : the value of every other name; these are the inputs.
    """
    point = point or Point({})
    lines = [objective.line, *(constraint.line for constraint in constraints)]
    likely = sorted(set.union(*(names_in(line.text) for line in lines)) - {*CONSTANTS, *point.values})
    z = z or SourceValue([], source)
    unknowns = _unknowns(z, likely or ["z"], source)
    return _ProgramReader(objective, constraints, z, unknowns, point, source).program()


def _unknowns(z: SourceValue, likely: Sequence[str], source: str) -> list[str]:
    problems: list[Problem] = []
    names = given_names("z", z, source, problems) or []
    if not names:
        hint = f"Name them: z: [{', '.join(likely)}] (on the command line, --unknowns {','.join(likely)})"
        problem = Problem("expected the names of the unknowns, got none", hint, "missing-z")
        raise InputError([*problems, problem.at(z.source or source, z.locate(()))])
    for k, one in enumerate(names):
        if one in names[:k]:
            problem = Problem(f"z[{k + 1}]: duplicate name {quoted(one)}", None, "bad-name")
            problems.append(problem.at(z.source or source, z.locate((k,))))
    if len(names) > MAX_UNKNOWNS:
        message = f"z: expected at most {MAX_UNKNOWNS:,} unknowns in expressions, got {len(names):,}"
        problems.append(Problem(message, "A larger program is given by its arrays P, q, G, h", "too-large", source))
    if problems:
        raise InputError(problems)
    return names


class _ProgramReader:
    """Reads one program."""

    def __init__(
        self,
        objective: Objective,
        constraints: Sequence[ConstraintLine],
        z: SourceValue,
        unknowns: list[str],
        point: Point,
        source: str,
    ) -> None:
        self.objective, self.constraints = objective, constraints
        self.z, self.point, self.source = z, point, source
        self.unknowns = {name: j for j, name in enumerate(unknowns)}
        self.at = "" if (point.source or "").startswith("--") else "at: "
        """The key of the point, where the source does not say it."""
        self.known = {*unknowns, *point.values}
        for line in (objective.line, *(constraint.line for constraint in constraints)):
            self.known |= names_in(line.text)

    def program(self) -> QuadraticProgram:
        values = self._values()
        cost, parsed = self._parsed()
        self._refuse_unfit_names(cost, parsed)
        expander = Expander(self.unknowns, values)
        problems: list[Problem] = []
        terms: Polynomial = {}
        try:
            terms = expander.expand(cost, 2, _OBJECTIVE)
        except ExpressionError as error:
            problems.append(expression_problem(self.objective.line, _with_hint(error)))
        rows: list[ConstraintRow] = []
        for constraint, relations in zip(self.constraints, parsed, strict=True):
            try:
                rows += _named(constraint, relations, rows, expander)
            except ExpressionError as error:
                problems.append(expression_problem(constraint.line, _with_hint(error)))
        if not problems:
            problems = list(self._wrong_names(rows, values))
        if problems:
            raise InputError(problems)
        line, is_maximum = self.objective.line, self.objective.is_maximum
        found = program_of_polynomials(negated(terms) if is_maximum else terms, rows, [*self.unknowns], values)
        return found._replace(source=self.source, is_maximum=is_maximum, place=(line.source, line.locate(0)))

    def _values(self) -> dict[str, Fraction]:
        """Return the letters' values."""
        point, found, problems = self.point, {}, []
        hint = "Write it as a decimal"
        for name, line in point.values.items():
            try:
                if not name.isidentifier() or name in FUNCTIONS + CONSTANTS:
                    message = f"{self.at}expected a name of letters, digits and _, got {quoted(name)}"
                    raise ExpressionError(message, 0, code="bad-name")
                if name in self.unknowns:
                    message = f"{self.at}expected values of names that are no unknowns, got {quoted(name)}"
                    raise ExpressionError(message, 0, "An unknown's value is computed", "bad-point")
                node = read_expression(line.text)
                letter = next(node.names(), None)
                if letter is not None:
                    message = f"{self.at}expected a number for {name}, got the letter {quoted(letter)}"
                    raise ExpressionError(message, 0, code="bad-point")
                expanded = Expander({}, {}, hint).expand(node, 0, "a number")
                found[name] = expanded.get((), ZERO).value
            except ExpressionError as error:
                problems.append(expression_problem(line, error))
        if problems:
            raise InputError(problems)
        return found

    def _parsed(self) -> tuple[Node, list[list[Relation]]]:
        problems: list[Problem] = []
        parsed = []
        cost = None
        line = self.objective.line
        try:
            if not line.text.strip():
                raise ExpressionError(f"expected an expression to {self.objective.key}, got none", 0, code="empty")
            if sign := RELATION.search(line.text):
                message = f"expected an expression to {self.objective.key}, got {quoted(sign.group())} in it"
                raise ExpressionError(message, sign.start(), "Constraints are in subject_to")
            cost = read_expression(line.text, self.known)
        except ExpressionError as error:
            problems.append(expression_problem(line, _with_hint(error)))
        for constraint in self.constraints:
            try:
                if not constraint.line.text.strip():
                    raise ExpressionError("expected a constraint, got none", 0, "z1 + z2 <= 1", "empty")
                parsed.append(read_relations(constraint.line.text, self.known))
            except ExpressionError as error:
                problems.append(expression_problem(constraint.line, _with_hint(error)))
        if cost is None or problems:
            raise InputError(problems)
        return cost, parsed

    def _refuse_unfit_names(self, cost: Node, parsed: Sequence[Sequence[Relation]]) -> None:
        """Refuse a letter without a value, a constraint without an unknown, and a name that is in nothing."""
        problems: list[Problem] = []
        sides = [(self.objective.line, [cost])]
        for constraint, chain in zip(self.constraints, parsed, strict=True):
            sides.append((constraint.line, [chain[0].left, *(one.right for one in chain)]))
        letters, used, refused = self.point.values.keys(), set(), set()
        for line, nodes in sides:
            names = [(name, offset) for node in nodes for name, offset in _places(node)]
            used |= {name for name, _ in names}
            for name, offset in names:
                if name not in letters and name not in self.unknowns and name not in refused:
                    refused.add(name)
                    problems.append(expression_problem(line, self._without_value(name, offset)))
            if line is not self.objective.line and not any(name in self.unknowns for name, _ in names):
                message = "expected a constraint on the unknowns, got one without them"
                problems.append(expression_problem(line, ExpressionError(message, 0, code="no-unknown")))
        if problems:
            raise InputError(problems)
        for k, name in enumerate(self.unknowns):
            if name not in used:
                problem = Problem(
                    f"z[{k + 1}]: expected an unknown that the program has, got {quoted(name)}", "Leave it out"
                )
                problems.append(
                    problem._replace(code="unused-unknown").at(self.z.source or self.source, self.z.locate((k,)))
                )
        for name in [name for name in letters if name not in used]:
            message = f"{self.at}expected names that the program has, got {quoted(name)}"
            problems.append(expression_problem(self.point.values[name], ExpressionError(message, 0, code="bad-point")))
        if problems:
            raise InputError(problems)

    def _without_value(self, name: str, offset: int) -> ExpressionError:
        product = as_product(name, {*self.unknowns, *self.point.values})
        hint = f"Give it one: at: {{{name}: 1}} (on the command line, --at {name}=1)"
        if product:
            hint = f"A product is written {product}"
        return ExpressionError(
            f"expected an unknown, or a letter with a value in at, got {name}", offset, hint, "bad-point"
        )

    def _wrong_names(self, rows: Sequence[ConstraintRow], letters: Mapping[str, Fraction]) -> Iterator[Problem]:
        """Yield a problem for each row whose name is empty or taken."""
        taken = {*letters, *self.unknowns}
        for row in rows:
            if not row.name or row.name in taken:
                what = "is in the expressions" if row.name in {*letters, *self.unknowns} else "is another's"
                message = f"expected a name of its own for each constraint, got {quoted(row.name)}"
                hint = f"It {what}; name the constraint, as in capacity: z1 <= 2" if row.name else None
                yield expression_problem(row.line, ExpressionError(message, 0, hint, "bad-name"))
            taken.add(row.name)


def _with_hint(error: ExpressionError) -> ExpressionError:
    """Return the error with a hint at how a program says what it was meant to say."""
    if error.code == "bad-degree" and "got abs of" in error.message:
        error.hint = _ABS
    elif error.message.lower().endswith(("got 'max'", "got 'maximum'")):
        error.hint = _MAX
    return error


def _places(node: Node) -> Iterator[tuple[str, int]]:
    """Yield every name that is no constant, with its offset."""
    if node.kind == "name" and node.text not in CONSTANTS:
        yield node.text, node.offset
    for part in node.parts:
        yield from _places(part)


def _named(
    constraint: ConstraintLine, relations: Sequence[Relation], before: Sequence[ConstraintRow], expander: Expander
) -> Iterator[ConstraintRow]:
    """Yield the rows of a constraint: those of a chain of two are its lower and its upper end.

    before : the rows of the constraints above.
    """
    name, is_equality = constraint.name, relations[0].sign == EQUAL
    number = 1 + sum(row.is_equality == is_equality for row in before)
    for k, (left, sign, right) in enumerate(relations):
        less, more = (right, left) if sign == AT_LEAST else (left, right)
        difference = Node("+", less.offset, parts=(less, Node("neg", more.offset, parts=(more,))))
        terms = expander.expand(difference, 1, _CONSTRAINT)
        if name is None:
            label = f"{'b' if is_equality else 'h'}{number + k}"
        elif len(relations) == 1:
            label = name
        elif len(relations) == 2:
            label = f"{name}.{'upper' if k ^ (sign == AT_LEAST) else 'lower'}"
        else:
            label = f"{name}.{k + 1}"
        yield ConstraintRow(label, is_equality, terms, constraint.line)
