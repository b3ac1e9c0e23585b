"""What to type instead of a command, an option or an argument that is not there. Loaded only after a mistake."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import click

from implicitgrad.text.characters import printable, quoted
from implicitgrad.text.errors import UsageError
from implicitgrad.text.hints import nearest, typed

QUOTES = "A value with blanks needs quotes: -g '1 1'"
MAX_COMMAND = 120
"""Characters of a command in a hint."""
MATRIX = re.compile(r"[-+\d.eE/,;\s\[\]]*\d[\s,;\]]+[-+\d.eE/,;\s\[\]]*")
"""Numbers and separators, as in -A."""
SYNONYMS = {
    "check": ("test", "verify", "validate", "gradcheck"),
    "solve": ("diff", "differentiate", "derivative", "gradient", "jacobian"),
    "guide": ("manual", "man", "docs"),
}
"""Words of other programs for our commands."""
OPTION_SYNONYMS = {
    "--delimiter": ("d", "s", "sep", "separator", "field-separator"),
    "--decimal": ("dec", "decimal-separator", "decimal-comma"),
    "--index": ("index-col", "row-names", "rownames"),
    "--unknowns": ("vars", "variables", "wrt-y"),
    "--dldy": ("grad", "gradient", "cotangent", "grad-outputs"),
    "--dydx": ("jac", "jacobian"),
    "--rtol": ("tol", "tolerance", "eps"),
    "--digits": ("precision", "decimals", "round"),
    "--at": ("point", "subs", "values"),
    "--solve-for": ("guess", "start", "x0"),
    "--show": ("select", "columns", "rows", "cols"),
    "--output": ("out", "outfile", "save"),
    "--jobs": ("workers", "processes", "parallel", "n-jobs"),
    "--time-limit": ("timeout", "time"),
}
"""Words of other programs for our options."""


def reworded(error: click.ClickException, arguments: Sequence[str], group: click.Group) -> UsageError:
    """Return an error of click as one of ours, with a hint."""
    text = error.message if isinstance(error, click.NoSuchOption) else error.format_message()
    message = printable(" ".join(text.split()).rstrip("."))
    return UsageError(message, _hint_for(error, arguments, group))


def _hint_for(error: click.ClickException, arguments: Sequence[str], group: click.Group) -> str:
    """Return what to type instead of ``arguments``, which click refused, or where to find out."""
    context = click.Context(group)
    verbs = {name: verb for name in group.list_commands(context) if (verb := group.get_command(context, name))}
    name = next((one for one in arguments[:1] if one in verbs), None)
    found = _for_verb(error, arguments, verbs) if name is None else _for_argument(error, name, arguments[1:], verbs)
    return found or f"See implicitgrad {'' if name is None else f'{name} '}--help"


def unknowns_of(equation: str) -> str:
    """Return --unknowns with the names that are probably unknown in an equation."""
    from implicitgrad.readers.equations.reader import likely_unknowns
    from implicitgrad.symbolic.grammar.expressions import ExpressionError, read_equation

    try:
        names = likely_unknowns([read_equation(equation)])
    except ExpressionError:
        names = []
    return f"--unknowns {','.join(names) or 'y'}"


def point_hint(values: Sequence[str]) -> str:
    """Return what to write instead of the values of --at, with semicolons, blanks, colons or decimal commas."""
    text = re.sub(r"(?<=\d),(?=\d+(?:[,;\s]|$))", ".", typed(",".join(values)))
    text = re.sub(r"\s*[;,]\s*|\s+(?=\w+\s*[=:])", ",", text).replace(":=", "=").replace(":", "=")
    is_point = all(re.fullmatch(r"\s*[^\W\d]\w*\s*=\s*[-+\w.*/^()]+\s*", one) for one in text.split(","))
    return f"Write --at {text.replace(' ', '')}" if is_point else "Write --at x=3,y=4"


def refuse_equations_and_matrices(paths: Iterable[str]) -> None:
    """Raise UsageError for an equation or a matrix among ``paths``, which are no files."""
    from implicitgrad.readers.sources import file_of

    for path in paths:
        hint = _for_value(click.get_current_context().info_name or "", path) if path == file_of(path) else None
        if hint is not None:
            raise UsageError(f"expected a file, got {quoted(path)}", hint)


def _for_value(verb: str, path: str) -> str | None:
    """Return what to type instead of ``path``, which is no file, if it is an equation or a matrix."""
    from implicitgrad.readers.sources import format_by_suffix

    verb = verb if verb == "check" else "solve"
    if "=" in path and format_by_suffix(path) is None:
        return f"An equation needs -e: {_command(verb, '-e', path, *unknowns_of(path).split())}"
    if MATRIX.fullmatch(path):
        return f"A matrix needs -A: {_command(verb, '-A', path)}"
    return None


def _for_verb(error: click.ClickException, arguments: Sequence[str], verbs: dict[str, click.Command]) -> str | None:
    """Return what to type if the first argument is no command."""
    first, *rest = arguments
    if isinstance(error, click.NoSuchOption):
        owner = _owner(error.option_name, verbs)
        return None if owner is None else f"Name a command first: {_command(owner, *arguments)}"
    if os.path.isdir(first):
        return f"To check the systems in it: {_command('check', *arguments)}; to solve them: {_command('batch', first)}"
    from implicitgrad.readers.sources import format_by_suffix

    if first == "-" or os.path.exists(first) or format_by_suffix(first) is not None:
        return f"To solve a file: {_command('solve', *arguments)}"
    if (found := _for_value("solve", first)) is not None:
        return found
    meant = {word: verb for verb, words in SYNONYMS.items() for word in words} | {verb: verb for verb in verbs}
    close = get_close_matches(first.lower(), meant, n=1)
    return f"Did you mean {_command(meant[close[0]], *rest)}?" if close else None


def _for_argument(
    error: click.ClickException, name: str, rest: Sequence[str], verbs: dict[str, click.Command]
) -> str | None:
    """Return what to type if a command refuses its arguments."""
    if isinstance(error, click.NoSuchOption):
        return _for_option(error.option_name, name, rest, verbs)
    parameter = getattr(error, "param", None)
    if isinstance(error, click.BadParameter) and parameter is not None and isinstance(parameter.type, click.Choice):
        wrong = re.search(r"'([^']*)'", error.message)
        return _nearest_choice(wrong[1], list(map(str, parameter.type.choices))) if wrong else None
    if isinstance(error, click.BadOptionUsage):
        option = next(one for one in verbs[name].params if error.option_name in one.opts)
        return f"Give it one: {error.option_name} {option.make_metavar(click.Context(verbs[name]))}"
    if "extra argument" in error.message:
        from implicitgrad.readers.sources import file_of

        files = [one for one in rest if os.path.isfile(file_of(one))]
        if len(files) > 1:
            return f"{name} takes one file. For several: {_command('batch', *files)}"
        return f"{QUOTES}. See implicitgrad {name} --help"
    return None


def _nearest_choice(text: str, choices: Sequence[str]) -> str | None:
    """Return "Did you mean …?" with the choices that begin with a text, or else the nearest one."""
    begun = [choice for choice in choices if text and choice.lower().startswith(text.lower())]
    return f"Did you mean {' or '.join(begun)}?" if begun else nearest(text, choices)


def _for_option(option: str, name: str, rest: Sequence[str], verbs: dict[str, click.Command]) -> str | None:
    """Return what to type instead of an option that a command does not have."""
    wanted = option.lstrip("-").lower()
    options = [one for one in verbs[name].params if isinstance(one, click.Option)]
    for one in options:
        choices = {choice.lower(): choice for choice in getattr(one.type, "choices", ())}
        if wanted in choices:
            return f"Did you mean {one.opts[-1]} {choices[wanted]}?"
    owner = _owner(option, verbs)
    if owner is not None:
        known = {text for one in verbs[owner].params for text in one.opts}
        is_taken = all(text.split("=")[0] in known for text in rest if text.startswith("--"))
        return f"It is an option of {owner}" + (f": {_command(owner, *rest)}" if is_taken else "")
    known = {text for one in options for text in one.opts}
    meant = next((ours for ours, words in OPTION_SYNONYMS.items() if wanted in words and ours in known), None)
    if meant is not None:
        return f"Did you mean {meant}?"
    names = {text.lstrip("-"): text for one in options for text in one.opts if text.startswith("--")}
    close = get_close_matches(wanted, names, n=1)
    return f"Did you mean {names[close[0]]}?" if close else None


def _owner(option: str, verbs: dict[str, click.Command]) -> str | None:
    """Return the first command that has an option."""
    return next((name for name, verb in verbs.items() if any(option in one.opts for one in verb.params)), None)


def _command(verb: str, *arguments: str) -> str:
    """Return a command as it is typed, without the end of a long one."""
    text = printable(shlex.join(["implicitgrad", verb, *arguments]))
    return text if len(text) <= MAX_COMMAND else f"{text[: MAX_COMMAND - 1]}…"
