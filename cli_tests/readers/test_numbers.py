"""The grammar of a number, and how numbers are written."""

from collections.abc import Iterable
from decimal import Context, Decimal
from fractions import Fraction
from functools import partial
from math import inf, isinf, nextafter

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st

from implicitgrad.model.verdict import show
from implicitgrad.numbers.display.decimals import LONG_BITS
from implicitgrad.numbers.display.form import NumberForm, NumberOptions
from implicitgrad.numbers.display.style import NumberStyle, show_decimal, show_number
from implicitgrad.numbers.display.sums import linear
from implicitgrad.numbers.doubles import Ball
from implicitgrad.numbers.exact import exact_square_root
from implicitgrad.numbers.rounding import float_square_root
from implicitgrad.text.characters import format_fraction
from implicitgrad.text.number_grammar import NumberError, parse_number
from implicitgrad.text.number_texts import last_place, looks_like_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0), ("-0", 0), ("-12", -12), ("+7", 7), ("0.5", Fraction(1, 2)), (".5", Fraction(1, 2)), ("5.", 5),
        ("-.5", Fraction(-1, 2)), ("+.5", Fraction(1, 2)), ("1e-3", Fraction(1, 1000)), ("1E+3", 1000), ("1e03", 1000),
        ("2.50", Fraction(5, 2)), (".5e1", 5), ("3/4", Fraction(3, 4)), ("-6/4", Fraction(-3, 2)), ("0/7", 0),
        ("1e399", 10**399), ("1e-399", Fraction(1, 10**399)), ("9" * 1000, 10**1000 - 1),
    ],
)  # fmt: skip
def test_a_number_is_what_its_text_says(text: str, value: Fraction) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "1 ", " 1", ".", "-", "+", "e5", ".e5", "1e", "1e+", "--1", "+-1", "010", "00", "-01", "00.5", "1_000",
        "0x1F", "0b1", "0o7", "1:30", "yes", "true", "null", "~", "nan", "inf", "-Infinity", "1e400", "1e-400",
        "1e999999999", "9" * 1001, "0." + "1" * 1000, "1+2j", "50%", "$1", "(1)", "1D3", "1d3", "１", "١٢",
        "1\u00a0", "\u200b1", "\u22121", "1,5", "1,234", "1/0", "1/-2", "1/2/3", "1/02", "1.5/2", "1/2.0", "1/2e3",
        "1 2", "1;2", "1\n", "\n1", "1\0",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(NumberError):
        parse_number(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("010", "Leading zeros"), ("\u22121", "typographic minus"), ("1\u200b2", "U+200B"), ("1D3", "with e"),
        ("1 2", "comma missing"), ("1,234", "thousands"), ("-0,034", "decimal mark"), ("10%", "for 50%"),
        ("1,5", "decimal mark"), ("1;2", "--delimiter"),
        ("3/-4", "positive integer"), ("", "empty"), (" 1", "blanks"),
    ],
)  # fmt: skip
def test_the_commonest_misspellings_get_a_hint(text: str, hint: str) -> None:
    with pytest.raises(NumberError) as caught:
        parse_number(text)
    assert hint in str(caught.value)


THOUSANDS = "Leave out the thousands separators"
DATE = "It is a date, perhaps of a spreadsheet that took a number for one; write the number"
WITH_COMMA = f"{THOUSANDS}; a decimal comma is read from CSV with --decimal ,"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1,234", f"{THOUSANDS} (decimal commas are read from CSV with --decimal ,)"),
        ("1.234.567", THOUSANDS), ("1'234", THOUSANDS), ("1\u2019234.5", THOUSANDS), ("-1_000", THOUSANDS),
        ("1\u202f234", THOUSANDS), ("1.234,5", WITH_COMMA), ("1'234,5", WITH_COMMA), ("1 234,5", WITH_COMMA),
        ("1\u00a0234\u00a0567,5", WITH_COMMA), ("12 345", "Is a comma missing? A thousands separator is left out"),
        ("1 23", "Is a comma missing?"),
        ("12,5", "Write the decimal mark as a point (in CSV, --decimal , reads decimal commas)"),
        ("(3)", "Write -3 if the parentheses mean that it is negative, else 3"),
        ("3.5-", "Write the sign first: -3.5"), ("$5", "Leave out the currency"),
        ("-5,20 €", "Leave out the currency"), ("12,5 %", "Write 0.5 for 50%"),
        ("\u20135", "It has a typographic dash (U+2013); write - instead"), ("½", "Write 1/2"), ("-¾", "Write -3/4"),
        ("5²", "It has the character U+00B2 ²; numbers are written in plain ASCII"),
        ("n/a", "It stands for a missing value; write the number, or 0 if it is zero"),
        ("#DIV/0!", "A spreadsheet could not compute or show it; write the number"),
        ("#BEZUG!", "A spreadsheet could not compute or show it; write the number"),
        ("####", "A spreadsheet could not compute or show it; write the number"),
        ("1-Mai", DATE), ("May-05", DATE), ("01. Mai", DATE), ("1.5.2024", DATE), ("24.12.99", DATE),
        ("2024-05-01", DATE), ("2024-5-1 00:00", DATE),
        ("3.4.5", "A number has one decimal point"), ('="0,5"', "It is a spreadsheet's formula; write its value"),
        ("5 EUR", "Leave out the currency"),
        ("1-5", "A number is not computed; blanks around a sign make one entry of two"),
        ("-1.#IND", "Missing and infinite values are not read"),
        ("1½", "It has the character U+00BD ½; numbers are written in plain ASCII"),
        ("(2y-x²)", None), ("x\u22121", None), ("#1", None),
    ],
)  # fmt: skip
def test_a_number_of_another_program_is_answered_with_what_to_write(text: str, hint: str | None) -> None:
    with pytest.raises(NumberError) as caught:
        parse_number(text)
    assert caught.value.problem.hint == hint


@given(st.fractions())
def test_a_fraction_written_is_read_back(value: Fraction) -> None:
    assert parse_number(format_fraction(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6))
def test_decimals_are_read_as_the_fractions_they_are(value: object) -> None:
    assert parse_number(str(value)) == Fraction(str(value))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_doubles_shortest_text_is_read(value: float) -> None:
    assert float(parse_number(repr(value))) == value


def test_an_integer_of_any_length_is_written() -> None:
    text = format_fraction(Fraction(-(10**9000) - 1, 3**9000))
    assert text.startswith("-1000")
    assert len(text) > 13_000


@pytest.mark.parametrize(
    ("text", "unit"),
    [("0.1", Fraction(1, 10)), ("0.10", Fraction(1, 100)), ("2.5e1", 1), ("1e-3", Fraction(1, 1000)), ("12", None),
     ("1/3", None), ("1.0", Fraction(1, 10)), ("1e3", 1000), ("-1.234E5", 100), ("5.", 1), (".5", Fraction(1, 10))],
)  # fmt: skip
def test_the_last_place_is_that_of_the_last_digit_written(text: str, unit: Fraction | None) -> None:
    assert last_place(text) == unit


@pytest.mark.parametrize(
    "text", ["1,234", "nan", "-inf", "0x1F", "50%", "$1", "1_000", "１", "1D3", "1:30", "(1)", "12 345", "1/0"]
)
def test_what_looks_like_a_number_to_others_is_no_name(text: str) -> None:
    assert looks_like_number(text)


@pytest.mark.parametrize(
    "text", ["y1", "1st node", "2a", "v_a", "1e-3", "12", "", "-", "nano", "d1", "∂", "2020-01-05", "3/4", "a 1"]
)
def test_names_and_numbers_are_no_lookalikes(text: str) -> None:
    assert not looks_like_number(text)


@given(st.fractions(min_value=0))
def test_square_roots_are_exact_or_correctly_rounded(value: Fraction) -> None:
    assert exact_square_root(value**2) == value
    root = float_square_root(value)
    assert root is not None
    below, above = (Fraction(root) + Fraction(nextafter(root, to)) for to in (-1.0, inf))
    assert value == 0 or (below / 2) ** 2 <= value <= (above / 2) ** 2


@pytest.mark.parametrize("scale", [-300, -1, 0, 200])
def test_a_square_root_beside_the_middle_of_two_doubles_is_rounded_to_the_right_one(scale: int) -> None:
    below = Fraction(2**52 + 1) * Fraction(4) ** scale
    middle, above = below + Fraction(4) ** scale / 2, below + Fraction(4) ** scale
    tiny = middle**2 / 10**80
    assert float_square_root(middle**2 - tiny) == below
    assert float_square_root(middle**2 + tiny) == above
    assert float_square_root(middle**2) == above  # a tie goes to the even one
    even = below - Fraction(4) ** scale
    middle = even + Fraction(4) ** scale / 2
    assert float_square_root(middle**2) == even
    assert float_square_root(middle**2 + tiny) == below


def test_roots_that_are_not_rational_are_none() -> None:
    assert exact_square_root(Fraction(2)) is None
    assert exact_square_root(Fraction(1, 2)) is None
    assert exact_square_root(Fraction(9, 4)) == Fraction(3, 2)
    assert exact_square_root(Fraction(4)) == 2


def test_a_square_root_beyond_the_doubles_is_none() -> None:
    assert float_square_root(Fraction(10**800)) is None
    assert not isinf(float_square_root(Fraction(10**600)) or 0)


def table(values: Iterable[Fraction], digits: int = 6, form: str = "auto") -> list[str]:
    """The texts of a table with these numbers."""
    numbers = list(values)
    return NumberStyle.of(numbers, NumberOptions(digits, NumberForm(form))).column(numbers)


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ("-1/2 3 999/998", ["-1/2", "3", "999/998"]),
        ("1/2 1/1000", ["0.500", "0.001"]),
        ("1/3 1000", ["≈0.333333", "1000       "]),
        ("1/2 1/4 8001/8", ["0.50", "0.25", "≈1000.12"]),
        ("100/19683 25 0 -1/7", ["≈0.00508053", "25         ", "0         ", "≈-0.142857  "]),
        ("1/3000000000 25 -1/7", ["≈3.33333e-10", "25", "≈-1.42857e-1"]),
        ("9876543/2 1/3", ["≈4.93827e+6", "≈3.33333e-1"]),
        ("9876543/2 1/4", ["≈4.93827e+6", "2.50000e-1"]),
        ("123456789012345 -20", ["123456789012345", "-20"]),
        ("1234567890123456 1/2", ["≈1.23457e+15", "5.00000e-1"]),
        ("", []),
    ],
)
def test_a_table_has_one_notation(numbers: str, texts: list[str]) -> None:
    values = list(map(Fraction, numbers.split()))
    assert table(values) == texts
    assert table(values, form="fraction") == list(map(str, values))
    for value, text in zip(values, table(values, form="decimal"), strict=True):
        assert "/" not in text
        assert (text.strip() == str(value)) == (value.denominator == 1 and abs(value) < 10**15)


@given(st.lists(st.fractions(), max_size=6), st.integers(1, 12))
def test_the_numbers_of_a_table_have_the_same_digits(values: list[Fraction], digits: int) -> None:
    texts = [text.strip() for text in table(values, digits)]
    decimals = [text for value, text in zip(values, texts, strict=True) if value.denominator > 1]
    if any("/" in text for text in texts):
        assert texts == list(map(str, values))
        assert all(max(abs(value.numerator), value.denominator) < 1000 for value in values)
        return
    assert len({"e" in text for text in decimals}) <= 1
    for text in decimals:
        mantissa = text.lstrip("≈-").partition("e")[0].replace(".", "").lstrip("0")
        assert len(mantissa) == digits if text.startswith("≈") else len(mantissa) <= digits
    if any(text.startswith("≈") for text in decimals) and any("e" in text for text in decimals):
        assert len({len(text.lstrip("≈-").partition("e")[0]) for text in decimals}) == 1


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1e-15, 1e-9, 0.01, 3.0])), max_size=6))
def test_a_table_of_doubles_shows_what_their_bounds_support(pairs: list[tuple[float, float]]) -> None:
    values = [Ball(*pair) for pair in pairs]
    for value, text in zip(values, map(str.strip, table(values)), strict=True):
        assert not text.startswith("≈")
        assert "/" not in text
        number, _, error = text.partition("±")
        unit = Fraction(error) if error else last_place(number) or 1
        assert abs(Fraction(value) - Fraction(number)) + Fraction(value.error) <= unit
        if value.error > 0.01:
            assert error or "." in number or "e" in number, "a rounded number looks like an integer"


@pytest.mark.parametrize(
    ("balls", "texts"),
    [
        ([(0.638, 0.058)], ["0.638±0.059"]),
        ([(-0.18, 0.16)], ["-0.18±0.17"]),
        ([(8.0, 3.0)], ["8.0±3.0"]),
        ([(12.34, 0.4), (0.25, 1e-16)], ["12.34±0.41", "0.25     "]),
        ([(123456.0, 31.0)], ["123456±31"]),
        ([(1.4, 0.4), (1e-9, 1e-8)], ["1.40±0.41", "0        "]),
        ([(0.02, 0.03)], ["0±0.05"]),
        ([(0.0, 0.3)], ["0±0.3"]),
        ([(0.0, 1e-17)], ["0"]),
        ([(3.0, 77.0), (1e-7, 1e-20)], ["0±80", "1e-7"]),
        ([(-2.4e9, 1.07e9)], ["-2.4e+9±1.1e+9"]),
        ([(1.234e-7, 9.9949e-8)], ["1.23e-7±1.01e-7"]),
        ([(3e-17, 5e-17), (2.5e7, 1e-9)], ["0±8e-17", "2.5e+7"]),
        ([(0.123, 1e-4), (1.0, 1e-17)], ["0.123", "1.000"]),
    ],
)
def test_a_number_with_a_large_error_is_shown_with_it(balls: list[tuple[float, float]], texts: list[str]) -> None:
    assert table([Ball(*ball) for ball in balls]) == texts


def test_one_number_is_no_longer_than_it_needs_to_be() -> None:
    assert show_number(Fraction(12345678, 10**4), 9) == "1234.5678"
    assert show_number(Fraction(10**300), 6) == "1e+300"
    assert show_number(Fraction(17000, 71), 6) == "17000/71"
    assert show_decimal(Fraction(15100), 3) == "1.51e+4"


@given(st.fractions(), st.integers(1, 12))
def test_a_shown_number_is_right_in_every_digit(value: Fraction, digits: int) -> None:
    text = show_number(value, digits).strip()
    shown = Fraction(text.removeprefix("≈"))
    if not text.startswith("≈"):
        assert shown == value
        return
    mantissa = text.removeprefix("≈").lstrip("-").partition("e")[0]
    assert len(mantissa.replace(".", "").lstrip("0")) <= digits
    unit = last_place(text.removeprefix("≈")) or 1
    assert 0 < abs(shown - value) <= unit / 2


def test_a_sum_is_written_as_by_hand() -> None:
    assert str(linear(Fraction(1, 5), [(Fraction(-3, 5), "∂y1/∂x")], show)) == "1/5 − 3/5·∂y1/∂x"
    assert str(linear(Fraction(0), [(Fraction(-1), "a"), (Fraction(0), "b"), (Fraction(1), "c")], show)) == "-a + c"
    assert str(linear(Fraction(0), [], show)) == "0"
    short = partial(show_number, digits=3)
    assert str(linear(Ball(1.0, 0.2), [(Ball(-0.6, 0.1), "a")], short)) == "1.00±0.21 − (0.60±0.11)·a"
    assert str(linear(Fraction(1, 3**15), [(Fraction(-2), "a")], short)) == "≈6.97e-8 − 2·a"
    assert str(linear(Fraction(-1, 3**15), [(Fraction(-1, 7**9), "a")], short)) == "≈-6.97e-8 − ≈2.48e-8·a"


@pytest.mark.parametrize("last", ["", "1"], ids=["a tie", "above a tie"])
@pytest.mark.parametrize("lead", ["1234565", "1234575", "9999995", "1000005"])
def test_long_numbers_are_rounded_as_short_ones(lead: str, last: str) -> None:
    number = Fraction(int(lead + "0" * 1500 + last), 10**1400 * 7**900)
    assert (number * 7**900 * 10**1400).numerator.bit_length() > LONG_BITS
    for value in (number, -number, number * 7**900, 1 / number):
        context = Context(prec=6)
        expected = context.divide(Decimal(value.numerator), Decimal(value.denominator))
        assert show_number(value, 6).lstrip("≈") == f"{expected:.5e}"


def test_decimals_of_more_digits_than_pythons_default_precision_are_whole(run: Run) -> None:
    power = "7.888609052210118054117285652827862296732064351090230047702789306640625e-31"
    given = ("solve", "-A", f"2e31 0;0 {2**100}", "--notation", "decimal", "--digits", "100")
    assert f"  {power}\n" in run(*given).stdout
    assert f",{power}\n" in run(*given, "-f", "csv").stdout
    assert run("solve", "-A", "3", "-f", "csv", "--digits", "60").stdout.endswith(f"\ny1,0.{'3' * 60}\n")
