"""An independent truth about intervals: Fourier-Motzkin elimination in fractions."""

from fractions import Fraction

Inequality = tuple[list[Fraction], Fraction]
"""Σ coefficients·z ≤ bound"""


def is_feasible(inequalities: list[Inequality]) -> bool:
    """Whether some z satisfies all: eliminate one coordinate after the other."""
    while inequalities and inequalities[0][0]:
        below, above, free = [], [], []
        for (first, *rest), bound in inequalities:
            if not first:
                free.append((rest, bound))
            else:
                side = above if first > 0 else below
                side.append(([a / abs(first) for a in rest], bound / abs(first)))
        for upper, high in above:
            for lower, low in below:
                free.append(([a + b for a, b in zip(upper, lower, strict=True)], high + low))
        inequalities = free
    return all(bound >= 0 for _, bound in inequalities)


def between(coefficients: list[Fraction], lowest: Fraction, highest: Fraction) -> list[Inequality]:
    return [(coefficients, highest), ([-a for a in coefficients], -lowest)]
