"""Names that are likely meant as something else: who is warned, what is suggested, and who is not told anything."""

import json

import pytest
from conftest import Run

PRODUCT = "{} is read as one name; where a product is meant, write {}"
FUNCTION = "{} is read as one name; where a function is meant, write {}"
E = "{} is read as a letter; where the number e is meant, write {}"
PI = "{} is read as a letter; where the number is meant, write pi"
POWER_OF_E = "{} is read as one name; where {} is meant, write {}"
POWER = "{} is read as one name; where a power is meant, write {}"
COMPLEX = "I is read as a letter that stands for a real number; complex numbers are not taken"


def messages(run: Run, *arguments: str) -> list[str]:
    result = run("solve", *arguments, "-fjson")
    assert result.returncode == 0
    return [warning["message"] for warning in json.loads(result.stdout)["warnings"]]


@pytest.mark.parametrize(
    ("equation", "unknown", "message"),
    [
        ("x^3 + y^3 = 6*xy", "y", PRODUCT.format("xy", "x*y")),
        ("sin(xy) = x + y", "y", PRODUCT.format("xy", "x*y")),
        ("xy = x + y", "y", PRODUCT.format("xy", "x*y")),
        ("x = 2*uv*w + u + v", "w", PRODUCT.format("uv", "u*v")),
        ("y = x*x1x2 + x1 + x2", "y", PRODUCT.format("x1x2", "x1*x2")),
        ("y = pir + r", "y", PRODUCT.format("pir", "pi*r")),
        ("z = x + xx", "z", PRODUCT.format("xx", "x*x")),
        ("y = x*sinx", "y", FUNCTION.format("sinx", "sin(x)")),
        ("y = sinx", "y", FUNCTION.format("sinx", "sin(x)")),
        ("y = x*ln2t + t", "y", FUNCTION.format("ln2t", "ln(2*t)")),
        ("e^y = x", "y", E.format("e", "exp(y)")),
        ("y = x*e**(-k*(x - 1))", "y", E.format("e", "exp(-k*(x - 1))")),
        ("E^y = x", "y", E.format("E", "exp(y)")),
        ("y = (1 + 2*I)*x", "y", COMPLEX),
        ("y = x*(I - 3)", "y", COMPLEX),
        ("y = (2 + 3*i)*x", "y", COMPLEX.replace("I", "i", 1)),
        ("y = (j*4 - 2)*x", "y", COMPLEX.replace("I", "j", 1)),
        ("π*x = y^2", "y", PI.format("π")),
        ("x = 2*Pi*y", "y", PI.format("Pi")),
        ("y = x*ex", "y", POWER_OF_E.format("ex", "e^x", "exp(x)")),
        ("ex = y", "y", POWER_OF_E.format("ex", "e^x", "exp(x)")),
        ("y = e2t + t", "y", POWER_OF_E.format("e2t", "e^2t", "exp(2*t)")),
        ("y = x + eˣ", "y", POWER.format("eˣ", "exp(x)")),
        ("y = x*aⁿ", "y", POWER.format("aⁿ", "a^n")),
        ("𝑥 + y = x", "y", "𝑥 and x are read as two names"),
    ],
)
def test_a_likely_mistake_is_warned_of_with_what_to_write(run: Run, equation: str, unknown: str, message: str) -> None:
    assert messages(run, "-e", equation, "--unknowns", unknown) == [message]


@pytest.mark.parametrize(
    "arguments",
    [
        ("-e", "x^3 + y^3 = 6*xy", "--unknowns", "y", "--inputs", "x,xy"),
        ("-e", "x + y = xy", "--unknowns", "y", "--at", "x=1,xy=3,y=2"),
        ("-e", "x + y = xy + z", "--unknowns", "xy,y"),
        ("-e", "e^y = x", "--unknowns", "y", "--inputs", "x,e"),
        ("-e", "F = e*E", "--unknowns", "E"),
        ("-e", "E^2 = p^2 + m^2", "--unknowns", "p"),
        ("-e", "V = R*I", "--unknowns", "R", "--inputs", "V,I"),
        ("-e", "V = R*I + r*I", "--unknowns", "I"),
        ("-e", "V = 5*I", "--unknowns", "V"),
        ("-e", "cost = 3*t + 2*u", "--unknowns", "t,u"),
        ("-e", "x1 = 2*x11*y + x", "--unknowns", "y"),
        ("-e", "y = xmax*x", "--unknowns", "y"),
        ("-e", "y = alpha*x", "--unknowns", "y"),
        ("-e", "π = p*y - c", "--unknowns", "y"),
        ("-e", "x = π*y", "--unknowns", "π"),
        ("-e", "x = π*y", "--unknowns", "y", "--inputs", "x,π"),
        ("-e", "x^2 = π*y", "--unknowns", "y", "--at", "π=3,x=3,y=3"),
        ("-e", "V = P*(1 + i)", "--unknowns", "P"),
        ("-e", "V = P*(1 - i)*(1 + 2*j)", "--unknowns", "P"),
        ("-e", "x = i*y + j*z", "--unknowns", "y,z"),
        ("-e", "Y = C + ex - im", "--unknowns", "C"),
        ("-e", "s = E*(ex + nu*ey)", "--unknowns", "E"),
        ("-e", "ex = (s - nu*t)/x", "--unknowns", "x"),
        ("-e", "x = O*y", "--unknowns", "y"),
        ("-A", "i 1; 1 -j"),
        ("-A", "a b; c a1"),
        ("-A", "E*I 1; 1 12*E*I"),
    ],
)
def test_what_is_declared_or_plainly_meant_is_not_warned_of(run: Run, arguments: tuple[str, ...]) -> None:
    assert messages(run, *arguments) == []


def test_coefficients_and_files_are_warned_of_too(run: Run) -> None:
    assert messages(run, "-A", "1+2*I 1; 1 2") == [COMPLEX]
    assert messages(run, "-A", "2*I 1; 1 2") == [COMPLEX]
    assert messages(run, "-A", "a b; 1 ab") == [PRODUCT.format("ab", "a*b")]
    assert messages(run, "-A", "O 1; 1 2") == ["O is read as a letter; where the number is meant, write 0"]
    assert messages(run, "-A", "π 1; 1 2") == [PI.format("π")]
    assert messages(run, "-A", "2+3*j 1; 1 2") == [COMPLEX.replace("I", "j", 1)]
    text = 'equations: ["x^2 = y*3", "3*y = 4*xy + z"]\ny: [y, z]\n'
    result = run("solve", "s.yaml", files={"s.yaml": text})
    assert result.stdout.endswith(f"warning: {PRODUCT.format('xy', 'x*y')}\n")
    result = run("solve", "s.yaml", files={"s.yaml": f"{text}x: [x, xy]\n"})
    assert (result.returncode, "warning" in result.stdout) == (0, False)
    result = run("check", "s.yaml", "--require", "determined", files={"s.yaml": text})
    assert f"\n\ns.yaml: warning: {PRODUCT.format('xy', 'x*y')}\n\n1 claim about 1 system" in result.stdout
    result = run("solve", "-e", "x = 2*y + 3*xy", "--unknowns", "y")  # linear, and read without sympy
    assert result.stdout.endswith(f"warning: {PRODUCT.format('xy', 'x*y')}\n")


UNUSED = "y is in none of the equations"


@pytest.mark.parametrize(
    ("arguments", "warnings"),
    [
        (("-e", "sin(z) = x^2", "--unknowns", "y,z"), ["y is in none of the equations"]),
        (("-e", "z = 2*x", "--unknowns", "y,z"), ["y is in none of the equations"]),
        (("-e", "z = x^2", "--unknowns", "y,z", "--at", "x=1,z=1"), ["y is in none of the equations"]),
        (("-e", "x = z^2", "--unknowns", "y"), ["y is in none of the equations"]),
        (("-e", "x2 + y2 = 25", "--unknowns", "y"), [f"{UNUSED}; where y2 is its power, write y^2"]),
        (("-e", "x = y1 + y2", "--unknowns", "y"), [UNUSED]),
        (("-e", "x = 3*y10", "--unknowns", "y"), [UNUSED]),
        (("-e", "x^2 + Y^2 = 25", "--unknowns", "y"), [f"{UNUSED}; Y is another name"]),
        (("-e", "z = 2*xy", "--unknowns", "y"), [PRODUCT.format("xy", "x*y"), "y is in none of the equations"]),
    ],
)
def test_an_unknown_that_no_equation_has_is_named(run: Run, arguments: tuple[str, ...], warnings: list[str]) -> None:
    assert messages(run, *arguments) == warnings


@pytest.mark.parametrize(
    ("equation", "unknowns", "written", "column"),
    [
        ("dy/dx = -x/y", "y", "dy/dx", 1),
        ("x = 2*(dy)/(dt)", "y", "dy/dt", 8),
        ("x + y = 1 - y*dy/dx*3", "y", "dy/dx", 15),
        ("d2y/dx2 = -y", "y", "d2y/dx2", 1),
        ("dq/dprice = a*q + price", "q", "dq/dprice", 1),
        ("dy1/dx1 = x1 + y1*y2", "y1,y2", "dy1/dx1", 1),
    ],
)
def test_a_derivative_in_an_equation_is_refused_as_the_answer(
    run: Run, equation: str, unknowns: str, written: str, column: int
) -> None:
    result = run("solve", "-e", equation, "--unknowns", unknowns)
    message = f"expected no derivative, got '{written}'. {written} is the answer: leave it out"
    hint = "a claim of it is --dydx (in a file, expect: {dy_dx: ...})"
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"implicitgrad: -e:1:{column}: {message}; {hint}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("-e", "dz = a*dx + b*dy", "--unknowns", "dx,dy"),
        ("-e", "dy/dx = 2", "--unknowns", "dy"),
        ("-e", "dy/demand = y", "--unknowns", "y"),
        ("-e", "d/density = y", "--unknowns", "y"),
        ("-e", "dp/dx = y", "--unknowns", "y"),
    ],
)
def test_names_that_begin_with_d_are_names(run: Run, arguments: tuple[str, ...]) -> None:
    assert messages(run, *arguments) == []


@pytest.mark.parametrize(
    ("equation", "hint"),
    [
        ("x^3 + y^3 = 6xy", "A product is written 6*x*y"),
        ("x^2 y = 6", "A product is written x^2*y"),
        ("x²y = 6", "A product is written x²*y"),
        ("sin(x) y = 6", "A product is written sin(x)*y"),
        ("(x + 1)^2 xy = 6", "A product is written (x + 1)^2*x*y"),
        ("xy z = x", "A product is written x*y*z"),
        ("x = 2 sin(y)", "A product is written 2*sin(...)"),
        ("x = 2pir*y + r", "A product is written 2*pi*r"),
        ("x = 2mv*y", "A product is written 2*mv, or 2*m*v where mv is a product"),
        ("x = 2alpha*y", "A product is written 2*alpha"),
        ("y = xy(1 + x)", "A product is written x*y*(...)"),
        ("f(x, y) = 1", "No function is defined here; write the equation alone"),
        ("diff(y, x) = 1", "A derivative is the answer: leave it out"),
        ("x^2 + y(x)^2 = 1", "A product is written y*(...); an unknown that depends on x is written without it: y"),
    ],
)
def test_products_without_a_sign_are_answered_with_the_product(run: Run, equation: str, hint: str) -> None:
    result = run("solve", "-e", equation, "--unknowns", "y")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.rstrip().endswith(f". {hint}")


@pytest.mark.parametrize(
    ("claim", "hint"),
    [
        ("(2b-a^2)/(b^2-2a)", "got '(2b-a^2)/(b^2-2a)'. A product is written 2*b"),
        ("1/(4", "got '1/(4'. As an expression: expected ), got the end"),
        ("0x10", "got '0x10'"),
        ("1.5.2", "got '1.5.2'. A number has one decimal point"),
        ("n.a.", "got 'n.a.'. null claims that an entry is not determined"),
    ],
)
def test_a_claim_in_letters_has_the_hints_of_an_expression(run: Run, claim: str, hint: str) -> None:
    result = run("check", "-A", "a b; c d", "-g", "1 1", "--dldx", f"[{claim}, 1]")
    expected = f"implicitgrad: --dldx:1:2: dL_dx[1]: expected a number such as -12, 0.5, 1e-3 or 3/4, {hint}\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", expected)


@pytest.mark.parametrize("declared", [("--inputs", "dy,dx"), ("--at", "dy=1,dx=3,y=1/9")], ids=["inputs", "at"])
def test_a_quotient_of_declared_names_is_no_derivative(declared: tuple[str, str], run: Run) -> None:
    result = run("solve", "-e", "dy/dx = 3*y", "--unknowns", "y", *declared)
    assert (result.returncode, result.stderr) == (0, "")
    refused = run("solve", "-e", "dy/dx = 3*y", "--unknowns", "y", "--at", "dy=1,y=1/9")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "expected no derivative, got 'dy/dx'. dy/dx is the answer: leave it out" in refused.stderr


@pytest.mark.parametrize(
    ("power", "hint"),
    [
        ("exp^(2*y)", "exp(2*y)"), ("exp^(y+1)", "exp(y+1)"), ("exp^-y^2", "exp(u)"), ("exp^2y", "exp(u)"),
        ("sin^(2+y)(y)", "sin(u)**(2+y)"), ("sin^2.5(y)", "sin(u)**2.5"), ("sin^2(y)", "sin(u)**2"),
        ("exp^y", "exp(y)"), ("cos^-1(y)", "acos(u) for the inverse function, 1/cos(u) for the reciprocal"),
    ],
)  # fmt: skip
def test_a_power_of_a_function_is_answered_with_what_to_write(power: str, hint: str, run: Run) -> None:
    result = run("solve", "-e", f"x = {power}", "--unknowns", "y")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith(f" Write {hint}\n")
