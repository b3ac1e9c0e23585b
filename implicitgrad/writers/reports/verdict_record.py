"""Write a Verdict as a JSON record: one object per system, with its claims."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from implicitgrad.model.verdict import Choice, Deviation, Outcome, Unreadable, Verdict
from implicitgrad.numbers.doubles import Ball
from implicitgrad.text.characters import format_fraction, printable
from implicitgrad.writers.record import Json, error_record, exact_text, nearest_double, write_json


def write_results(results: Sequence[Verdict | Unreadable], only_failures: bool, is_on_screen: bool) -> str:
    """Return the records as lines of ASCII JSON; for an unreadable file its first error."""
    records = [
        error_record(result.problems[0]) if isinstance(result, Unreadable) else to_verdict_record(result)
        for result in results
        if not (only_failures and isinstance(result, Verdict) and result.holds)
    ]
    return "".join(f"{write_json(record)}\n" for record in records)


def to_verdict_record(verdict: Verdict) -> dict[str, Json]:
    """Return the record as plain values."""
    return {
        "name": verdict.question.name,
        "source": verdict.source,
        "status": str(verdict.solution.status),
        "holds": verdict.holds,
        "claims": [_claim(outcome) for outcome in verdict.outcomes],
    }


def _claim(outcome: Outcome) -> dict[str, Json]:
    source, line, column = outcome.place
    return {
        "claim": outcome.key,
        "holds": outcome.holds,
        "undecided": outcome.is_undecided,
        "claimed": printable(outcome.claimed),
        "reason": printable(outcome.reason) or None,
        "failing": outcome.failing,
        "worst": None if outcome.worst is None else _deviation(outcome.worst),
        "suspicions": [
            {"code": suspicion.code, "message": printable(suspicion.message)} for suspicion in outcome.suspicions
        ],
        "choices": [_choice(choice) for choice in outcome.choices],
        "fixes_nothing": printable(outcome.fixes_nothing) or None,
        "source": source,
        "line": line,
        "column": column,
    }


def _deviation(worst: Deviation) -> dict[str, Json]:
    numbers: dict[str, Fraction | None] = {
        "claimed": worst.claimed_value,
        "correct": worst.correct,
        "difference": worst.difference,
        "tolerance": worst.tolerance,
    }
    doubles = {key: None if value is None else nearest_double(value) for key, value in numbers.items()}
    instead = {"instead": printable(worst.instead)} if worst.instead else {}
    return {"entry": worst.entry, "meaning": worst.meaning, **doubles, **instead, "exact": _exact(numbers)}


def _choice(choice: Choice) -> dict[str, Json]:
    """Return the record of Σ coefficient·parameter = value."""
    terms = {f"d{y}/d{x}": factor for factor, y, x in choice.terms}
    return {
        "coefficients": {name: nearest_double(factor) for name, factor in terms.items()},
        "value": nearest_double(choice.value),
        "exact": {
            "coefficients": {name: exact_text(factor) for name, factor in terms.items()},
            "value": exact_text(choice.value),
        },
    }


def _exact(numbers: dict[str, Fraction | None]) -> dict[str, Json]:
    """Return the exact texts; null for numbers that are known only within bounds."""
    is_bounded = isinstance(numbers["correct"], Ball)
    return {
        key: None if value is None or (is_bounded and key != "claimed") else format_fraction(value)
        for key, value in numbers.items()
    }
