"""The names in expressions: functions, constants, words that mean neither, and runs of letters that are products."""

from collections.abc import Collection

FUNCTIONS = (
    "sin", "cos", "tan", "sec", "csc", "cot", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh",
    "atanh", "exp", "log", "ln", "log10", "log2", "sqrt", "cbrt", "abs", "erf",
)  # fmt: skip
OF_TWO = ("atan2",)
"""The functions of two arguments."""
ONE_BASE = "Other logarithms are log2, log10 and log(u)/log(b)"
ALIASES = {"Abs": "abs"}
"""Spellings that SymPy prints."""
CONSTANTS = ("pi",)
NO_LETTERS = {
    "nan", "inf", "infinity", "true", "false", "yes", "no", "on", "off", "y", "n", "null", "none", "na",
    "(null)", "(none)", "n/a", "nil", "tba", "tbd", "missing", "unknown", "fehlt", "unbekannt", "offen",
}  # fmt: skip
"""Booleans, null and words for missing numbers in YAML and other programs."""
_MONTHS = "(?:Jan|Feb|Mar|Mär|Apr|May|Mai|Jun|Jul|Aug|Sep|Oct|Okt|Nov|Dec|Dez)"
DATE = f"[0-9]{{1,2}}-{_MONTHS}|{_MONTHS}-[0-9]{{2}}"
"""Matches what spreadsheets make of 1-5, which is no difference of a number and a letter."""
_NO_DERIVATIVE = "It has no derivative where the arguments are equal"
OTHER_WORDS = {
    **dict.fromkeys(("diff", "Derivative", "grad"), "A derivative is the answer: leave it out"),
    **{f"arc{word}": f"It is written a{word}" for word in ("sin", "cos", "tan")},
    **{f"{arc}{word}": f"It is written a{word}" for word in ("sinh", "cosh", "tanh") for arc in ("arc", "ar")},
    "arctan2": "It is written atan2",
    "acot": "Write acot(u) as pi/2 - atan(u)",
    "asec": "Write asec(u) as acos(1/u)",
    "acsc": "Write acsc(u) as asin(1/u)",
    "sech": "Write sech(u) as 1/cosh(u)",
    "csch": "Write csch(u) as 1/sinh(u)",
    "coth": "Write coth(u) as 1/tanh(u)",
    "erfc": "Write erfc(u) as 1 - erf(u)",
    **dict.fromkeys(("lg", "lb", "log1p", "logn"), "The logarithms are log or ln, log10 and log2"),
    "expm1": "Write expm1(u) as exp(u) - 1",
    **dict.fromkeys(("tg", "tgh", "ctg", "cotan", "cosec"), "They are written tan, tanh, cot and csc"),
    **dict.fromkeys(("pow", "power", "root", "nthroot"), "Write powers as u**v, and roots as u**(1/3)"),
    **dict.fromkeys(("max", "Max", "maximum"), f"{_NO_DERIVATIVE}; write max(u, v) as (u + v + abs(u - v))/2"),
    **dict.fromkeys(("min", "Min", "minimum"), f"{_NO_DERIVATIVE}; write min(u, v) as (u + v - abs(u - v))/2"),
    **dict.fromkeys(("sign", "sgn", "signum"), "Write sign(u) as u/abs(u)"),
    **dict.fromkeys(("sigmoid", "logistic", "expit"), "Write sigmoid(u) as 1/(1 + exp(-u))"),
    "softplus": "Write softplus(u) as log(1 + exp(u))",
    "relu": "Write relu(u) as (u + abs(u))/2",
}
"""What to write instead of a function of another name."""
MAX_NAME_LENGTH = 32
MAX_RUN_LENGTH = 3
"""The most letters of a name that may be a product without evidence from other names."""


def as_product(name: str, known: Collection[str]) -> str | None:
    """Return x*y for xy: the shortest product of known names and constants that spells the name, or None."""
    best: list[tuple[str, ...] | None] = [()]
    for end in range(1, min(len(name), MAX_NAME_LENGTH) + 1):
        found = [
            (*before, name[start:end])
            for start, before in enumerate(best)
            if before is not None
            and name[start:end] != name
            and (name[start:end] in known or name[start:end] in CONSTANTS)
        ]
        best.append(min(found, key=len, default=None))
    factors = best[-1]
    return "*".join(factors) if factors and not set(factors) <= set(CONSTANTS) else None


def is_run(name: str) -> bool:
    """Return whether a name, judged by itself, may be a product of its letters."""
    return name.isalpha() and 1 < len(name) <= MAX_RUN_LENGTH and name not in CONSTANTS
