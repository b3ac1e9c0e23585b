r"""The notations of other programs in which a matrix can be pasted, as a table of rewriting rules.

A rule replaces what its pattern matches by a text no longer than that, which is padded with blanks: every position
stays. What results is in the notation of inline.py, or rows of cells:

    array([[1., 2.],        →        [[1., 2.],
           [3., 4.]])       →         [3., 4.]]
    \frac{1}{2} & 2 \\      →   1/2         & 2
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

WINDOW = 20
"""Characters beside a fraction in which its neighbour is looked for."""
Rule = tuple[str, str | Callable[["re.Match[str]"], str]]
"""A pattern, and the text that replaces it."""

LABEL = "\0"
"""Begins the number of a row, or the numbers of the first and last column that follow, ``1:8``; no text contains it."""
NUMBER = r"[-+\u2212]?+(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][-+]?\d++)?+"
NAME = r"[A-Za-z_]\w*"
MODULE = rf"(?<![\w.])(?:{NAME}\.){{0,4}}"
ARRAYS = (
    r"(?:array|asarray|ndarray|matrix|mat|[Tt]ensor|as_tensor|Parameter|Variable|Array|DeviceArray|constant|"
    r"(?:Mutable|Immutable)?(?:Dense|Sparse)?Matrix|[Vv]ector|tuple|list)"
)
SCALARS = (
    r"(?:Fraction|Rational|Integer|Float|Decimal|mp[fqz]|int|float|u?int\d+|b?float\d+|longdouble|double|half|"
    r"[Tt]ensor|array|Array|DeviceArray|Big(?:Int|Float)|ZZ|QQ|RR)"
)
VALUE = r"(?:<[^<>]*>|'[^']*'|\"[^\"]*\"|\([^()]*\)|\[[^\[\]]*\]|[\w.+-]+(?:\([^()]*\))?)"
OPTION = rf"(?:{NAME}\s*=\s*{VALUE}|(?:(?:np|numpy|jnp|torch)\.\w+|float|int)(?=\s*[,)]))"
"""An argument of a call beside the entries: dtype=float32, torch.float64."""
CONSOLE = r"(?:>>>?|julia>|octave:\d+>|sage:|In ?\[\d+\]:=?)"
ECHO = (
    rf"\A\s*(?:{CONSOLE} *[A-Za-z][^\n]*"
    rf"|> *{NAME}(?: *(?:<-|=)[^\n]*|\([^\n]*)?)(?=\n\s*\S)"
)
"""What was typed at a prompt, if something is printed below it."""
LAST_PROMPT: Rule = (rf"\n[ \t]*(?:{CONSOLE}\s*)+\Z", "")
PROMPT = r"(?:(?:In|Out)\s?\[\d+\]\s*(?::=|=|:)\s*|>{1,3} )?"
ASSIGNMENT = rf"\A\s*{PROMPT}(?:(?:[A-Za-z][\w.]*\s+)?{NAME}(?:\[\d*\])*\s*(?::=|=|<-)[^\S\n]*)?\s*"
"""What may stand before a matrix: a prompt, and a name to which it is assigned."""
TYPE = r"(?:Any|Big|Bool|Complex|Float|Integer|Int|Number|Rational|Real|UInt)\w*(?:\{[^\n\[\]]*\})?"
"""The type of the entries, before a Julia array."""
DELIMITER = r"(?:\\?[\[\](){}|.]|\\[lr]?[vV]ert|\\\||\\[lr](?:brack|brace|angle))"
MATRICES = r"(?:[pbvVB]?(?:small)?matrix|array)\*?"
LATEX_BEGIN = rf"\\begin\s*\{{(?:{MATRICES}|tabular\*?)\}}"
LATEX_END = LATEX_BEGIN.replace("begin", "end")
_AROUND = (
    r"(?:\s|\$|\\[\[\]()]|\\centering\b|\\label\s*\{[^{}]*\}|"
    r"\\(?:begin|end)\s*\{(?:table|center|equation|align|gather|displaymath|math)\*?\}(?:\[[\w!]*\])?)*"
)
BEFORE_LATEX = rf"{_AROUND}(?:[\w\\{{}}]+\s*&?\s*:?=\s*)?(?:\\left\s*{DELIMITER}|[\[(|])?\s*"
AFTER_LATEX = rf"\s*(?:\\right\s*{DELIMITER}|[\])|])?\s*[.,;]?{_AROUND}"


COMMENTS: Rule = (r"(?m)(?:^[ \t]*|(?<=\s))[#%](?![A-Z/0]+[!?/])[^\n]*", "")
FULL_LINE_COMMENTS: Rule = (COMMENTS[0].replace(r"|(?<=\s)", ""), "")
"""#REF! and its like are errors in a spreadsheet's cells."""


def _opening(match: re.Match[str]) -> str:
    """Leave the parenthesis of a call."""
    return f"{'(':>{len(match[0])}}"


def _beside(match: re.Match[str]) -> tuple[str, str]:
    """Return the characters before and behind a match, apart from blanks; "" at the end of a line."""
    text, (start, end) = match.string, match.span()
    return text[max(0, start - WINDOW) : start].rstrip(" \t\v")[-1:], text[end : end + WINDOW].lstrip(" \t\v")[:2]


def _ratio(match: re.Match[str]) -> str:
    """Write Fraction(1, 2) as 1/2; leave it, and have it refused, where that would be another number."""
    text, (start, end) = match.string, match.span()
    before, after = _beside(match)
    is_operand = re.match(r"[/^*]", before) or re.match(r"\^|\*\*|//", after)
    is_joined = re.match(r"[\w.)]", text[max(0, start - 1) : start]) or re.match(r"[\w.(]", text[end : end + 1])
    return match[0] if is_operand or is_joined else f"{match[1]}/{match[2]}"


def _fraction(match: re.Match[str]) -> str:
    r"""Write \frac{1}{2} as 1/2, and \frac{a + 1}{b} as (a + 1)/(b); leave it, and have it refused, in 3\frac{1}{2}."""
    before, after = _beside(match)
    if re.search(r"[\w.)}\]]", before):
        return match[0]
    over, under = (part.strip() for part in match.groups())
    is_number = re.fullmatch(r"-?\d+", over) and under.isdecimal()
    found = f"{over}/{under}" if is_number else f"({over})/({under})"
    return f"({found})" if before in ("/", "^") or after[:1] == "^" else found


LISTS: tuple[Rule, ...] = (
    COMMENTS,
    (rf"{ASSIGNMENT}(?=[\[({{]|{MODULE}(?:{ARRAYS}|{SCALARS})\s*\(|{TYPE}\[|<|Parameter )", ""),
    (r"\AParameter containing:", ""),
    (r"\A\s*<tf\.\w+[^\[]*?numpy=|(?<=[\])])>\s*\Z|\[torch\.\w+ of size [^\]]*\]|<NDArray [^>]*>\s*\Z", ""),
    (rf"{MODULE}(?:Fraction|Rational|mpq|QQ)[(\[]\s*['\"]?(-?\d+)\s*[,/]\s*(\d+)['\"]?\s*[)\]]", _ratio),
    (rf"{MODULE}{SCALARS}\(\s*['\"]?({NUMBER}(?:/\d+)?)['\"]?\s*(?:,\s*{OPTION}\s*){{0,9}}+\)", r"\1"),
    (rf"['\"]({NUMBER}(?:/\d+)?)['\"]", r"\1"),
    (rf"(?<=\()(?:\s*{OPTION}\s*,){{1,9}}+(?=\s*\[)", ""),
    (rf"(?<=[\])])(?:\s*,\s*{OPTION}){{1,9}}+\s*,?(?=\s*\))", ""),
    *((rf"{MODULE}{ARRAYS}\s*\((?=\s*[\[(])", _opening),) * 2,
    (r"(?<![\w.])(\d++)L\b", r"\1"),
    (r"(?<=[\])}])\s*[,;]\s*\Z", ""),
)
"""Calls around lists and numbers, their other arguments, and the name of a variable."""
JULIA: tuple[Rule, ...] = (
    (r"(?<![\w.])(-?\d++)[ \t]*//[ \t]*(\d++)", _ratio),
    (r"(?<![\w.])(\d++\.?\d*+)f([-+]?\d)", r"\1e\2"),
    (r"(?<!\S)\u22c5(?!\S)", "0"),
)
LATEX: tuple[Rule, ...] = (
    (r"(?<!\\)%[^\n]*", ""),
    (r"\n", ""),
    (rf"(\\end\s*\{{\w+\*?\}})\s*\\right\s*{DELIMITER}", r"\1"),
    (rf"\\left\s*{DELIMITER}\s*(?=\\begin)", ""),
    (r"\\begin\s*\{(?:array|tabular)\*?\}\s*(?:\[\w*\])?\s*\{(?:[^{}]|\{[^{}]*\})*\}", ""),
    (r"\\(?:begin|end)\s*\{\w+\*?\}(?:\s*\[\w*\])?", ""),
    (r"\\cmidrule\s*(?:\([lr]*\))?\s*\{[^{}]*\}|\\cline\s*\{[^{}]*\}", ""),
    (r"\\(?:hline|toprule|midrule|bottomrule|left|right|[bB]igg?[lr]?|q?quad|(?:display|text)style)(?![A-Za-z])", ""),
    (r"\\(?:tabularnewline(?![A-Za-z])|cr(?![A-Za-z])|\\\*?)(?:\s*\[-?[\d.]+\s*\w\w\])?", "\n"),
    (r"\\h?phantom\s*\{[^{}]*\}|\\[,;:! ]|[$~]", ""),
    (r"\\(?:num|math\w\w|text\w*|boldsymbol|ensuremath)\s*\{([^{}]*)\}", r"\1"),
    (rf"(?<![\w./^])({NUMBER})\s*\\(?:cdot|times)\s*10\s*\^\s*\{{?\s*([-+]?\d+)\s*\}}?", r"\1e\2"),
    (r"(?<![\w.])10\s*\^\s*\{\s*([-+]?\d+)\s*\}", r"1e\1"),
    (r"\\[dt]?frac\s*(\d)\s*(\d)", _fraction),
    *((r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", _fraction), (r"\\sqrt\s*\{([^{}]*)\}", r"sqrt(\1)")) * 3,
    (r"\^\s*\{([^{}]*)\}", r"^(\1)"),
    (r"_\s*\{(\w+)\}", r"_\1"),
    (r"\\(?:cdot|times)(?![A-Za-z])", "*"),
    (r"\\(?=(?:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|chi|psi|omega|"
     r"sin|cos|tan|exp|ln|log)(?![A-Za-z]))", ""),
    (r"(\d)\{,\}(\d+)", r"\1,\2"),
    (r"\{([^{}&\\]*)\}", r"\1"),
)  # fmt: skip
PRODUCT: Rule = (r"(?<=[\w)]) +(?=[A-Za-z(])", "*")
"""2 a in mathematics."""


class Dialect(NamedTuple):
    """A notation of other programs."""

    name: str
    """As in "read as a NumPy array"."""
    mark: str
    """A pattern that a text in it contains, unless it is in one of the dialects before it."""
    rules: tuple[Rule, ...] = LISTS
    separator: str | None = None
    """What separates the cells of a line; None if the text is then one of inline.py."""
    has_names: bool = False
    """Whether rows and columns may have names."""
    is_literal: bool = False
    """Whether newlines in brackets separate rows, but not after ..., as in MATLAB."""
    is_rounded: bool = False
    """Whether numbers are displayed with a few decimals only."""
    is_display: bool = False
    """Whether 0.0000 is a number that was rounded away, because 0 itself is printed as 0."""
    has_columns: bool = False
    """Whether a flat list is a column."""
    constants: str = ""
    """The names that stand for constants there, and would be letters here, as alternatives of a pattern."""
    print_all: str = "Print all of them"
    """How to print all entries, with all digits."""


NUMPY_HINT = "np.set_printoptions(threshold=sys.maxsize) prints all of them"
TORCH_HINT = "torch.set_printoptions(threshold=10**9) prints all of them"
OPEN_BRACKET, CLOSED_BRACKET = r"[\[\u23a1-\u23a3\u239b-\u239d]", r"[\]\u23a4-\u23a6\u239e-\u23a0]"
BRACKETED = rf"{OPEN_BRACKET}[^\[\]\n]*{CLOSED_BRACKET}"
JULIA_HEADER = r"(?m)^[ \t]*\d+(?:\u00d7\d+|-element)[ \t][^\n]*:[ \t]*$"
VARIABLE = rf"\A\s*(?:>> ?)?{NAME} =(?=[ \t]*\n)"
TABLE = Dialect(
    "a table with names", r"\Z\A", (COMMENTS, (r"(?m) \\[ \t]*$", ""), (r'"([^"\s]+)"', r"\1")), " ", has_names=True
)
"""Known by its shape alone: the first row, which names the columns, lacks a cell."""
DIALECTS = (
    Dialect("a LaTeX table", r"\\begin\s*\{tabular", LATEX, "&", has_names=True),
    Dialect("a LaTeX matrix", rf"\\begin\s*\{{{MATRICES}\}}|(?m:^[^\n&]*&[^\n]*\\\\)", (*LATEX, PRODUCT), "&"),
    Dialect(
        "a Markdown or org table",
        r"[|\u2502]",
        (
            (r"(?m)^(?=[^\n]*[-=\u2500\u2550])[-+|=: \t\u2500-\u257f]+$", ""),
            (r"\u2502", "|"),
            (r"(?m)\|[ \t]*$", ""),
        ),
        "|",
        has_names=True,
    ),
    Dialect(
        "an R matrix",
        r"(?m)^[ \t]*(?:\S+[ \t]+)?\[(?:,\d+\]|\d+,?\][ \t]+\S)",
        ((r"\[,?(\d+),?\]", LABEL + r"\1"), (rf'"({NUMBER}(?:/\d+)?|{NAME})"', r"\1")),
        " ",
        has_names=True,
        print_all="options(max.print = 1e6) prints all of them",
    ),
    Dialect(
        "Julia's display of a matrix",
        JULIA_HEADER,
        ((r"\A\s*julia>[^\n]*(?=\n)", ""), (JULIA_HEADER, ""), *JULIA),
        " ",
        print_all='show(stdout, "text/plain", A) of a wider terminal, or print(A), prints all of them',
    ),
    Dialect(
        "rows in brackets",
        rf"\A\s*(?:{NAME} =[ \t]*\n\s*)?(?:{BRACKETED}[ \t]*\n\s*)+{BRACKETED}\s*\Z",
        ((VARIABLE, ""), (rf"{OPEN_BRACKET}|{CLOSED_BRACKET}", ""), (r"(?<=\w)\u22c5(?=\w)", "*")),
        is_rounded=True,
    ),
    Dialect(
        "a MATLAB or Octave display",
        rf"{VARIABLE}|(?m:^[ \t]*Columns? \d+[^\n]*$)|(?:Diagonal|Permutation) Matrix|\A\s*{NUMBER}[ \t]*\*[ \t]*\n",
        (
            (VARIABLE, ""),
            (r"(?m)^[ \t]*Columns? (\d{1,9}) (?:through|and|to) (\d{1,9}):?[ \t]*$", LABEL + r"\1:\2"),
            (r"(?m)^[ \t]*Columns? (\d{1,9}):?[ \t]*$", LABEL + r"\1:\1"),
            (r"(?m)^[^\n]* [Mm]atrix[ \t]*$", ""),
        ),
        " ",
        is_rounded=True,
        is_display=True,
        print_all="mat2str(A, 17) prints all digits",
    ),
    Dialect("a PyTorch tensor", r"\btensor\s*\(|\btorch\.", is_rounded=True, print_all=TORCH_HINT),
    Dialect("a JAX array", r"\b(?:Device)?Array\s*\(|\bjnp\.", is_rounded=True, print_all=NUMPY_HINT),
    Dialect("a TensorFlow tensor", r"\btf\.\w+", is_rounded=True, print_all=NUMPY_HINT),
    Dialect("a SymPy matrix", r"Matrix\s*\(", has_columns=True, constants="I|E|oo|zoo"),
    Dialect(
        "a NumPy array",
        r"\b(?:array|asarray|matrix|mat)\s*\(|\b(?:np|numpy)\.\w+\s*\(",
        is_rounded=True,
        print_all=NUMPY_HINT,
    ),
    Dialect("an R vector", rf"{ASSIGNMENT}c\([^()]*\)\s*\Z", ((rf"{ASSIGNMENT}c\(", _opening), *LISTS)),
    Dialect(
        "a list in braces, as in Mathematica",
        rf"{ASSIGNMENT}\{{\s*[-+.\d{{\w]",
        (
            *LISTS,
            (r"\{", "["),
            (r"\}", "]"),
            (rf"(?<![\d.])({NUMBER})(?:``?[\d.]*+)?\s*\*\^\s*([-+]?\d++)", r"\1e\2"),
            (rf"(?<![\d.])({NUMBER})``?[\d.]*+", r"\1"),
            (r"(?<![\w.])(\d++\.?\d*+|\.\d++)[fF]\b", r"\1"),
            (
                r"\b(Sqrt|Exp|Log|Sin|Cos|Tan|Sinh|Cosh|Tanh)\[([^\[\],]*)\]",
                lambda call: f"{call[1].lower()}({call[2]})",
            ),
            (r"\bPi\b", "pi"),
        ),
        constants="I|E|Infinity|ComplexInfinity|Indeterminate|Degree",
        print_all="InputForm prints all of them",
    ),
    Dialect(
        "nested lists", rf"{ASSIGNMENT}[\[(]\s*(?:[\[(]|{MODULE}{SCALARS}\()|\A\s*\((?=[^()]*,)", print_all=NUMPY_HINT
    ),
    Dialect(
        "a matrix in brackets",
        rf"{ASSIGNMENT}(?:{TYPE})?\[",
        (*LISTS, (r"\.\.\.[^\n]*\n", ""), (rf"(?<![\w.]){TYPE}(?=\[)", ""), *JULIA),
        is_literal=True,
        print_all=NUMPY_HINT,
    ),
    Dialect("rows of numbers", r"\A", (FULL_LINE_COMMENTS,)),
)
"""Tried in this order."""
