"""OddRoot: roots of odd order that are real for negative numbers too: (-8)^(1/3) = -2.

SymPy's Pow takes the complex principal value there. The root of what is not known to be nonnegative is an OddRoot;
everything else is a Pow.
"""

from __future__ import annotations

from sympy import Abs, Expr, Function, Integer, Mul, Pow, Rational, S
from sympy.printing.codeprinter import CodePrinter


class OddRoot(Function):  # type: ignore[misc]
    """OddRoot(u, q): the real root of u of odd order q."""

    nargs = 2

    @classmethod
    def eval(cls, u: Expr, q: Expr) -> Expr | None:
        """Return the root in other terms, or None."""
        order = Rational(1, q)
        if u.is_Pow and u.exp.is_Integer and u.free_symbols:
            return cls(u.base, q) ** u.exp
        if u.is_nonnegative:
            return Pow(u, order)
        if u.is_negative:
            return -Pow(-u, order)
        if isinstance(u, cls):
            return cls(u.args[0], u.args[1] * q)
        if u.is_Mul:
            return Mul(*(cls(factor, q) for factor in u.args))
        if u.could_extract_minus_sign():
            return -cls(-u, q)
        return None

    def _eval_power(self, exponent: Expr) -> Expr | None:
        u, q = self.args
        if not exponent.is_Integer or abs(exponent) < q:
            return None
        integer = Integer(int(exponent / q))
        return u**integer * self ** (exponent - q * integer)

    def _eval_Abs(self) -> Expr:
        return OddRoot(Abs(self.args[0]), self.args[1])

    def _eval_is_extended_real(self) -> bool | None:
        return True if self.args[0].is_extended_real else None

    def _eval_is_finite(self) -> bool | None:
        return True if self.args[0].is_finite else None

    def _eval_is_zero(self) -> bool | None:
        zero: bool | None = self.args[0].is_zero
        return zero

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return the derivative with respect to u."""
        u, q = self.args
        return self / (q * u)

    def _eval_evalf(self, prec: int) -> Expr | None:
        u = self.args[0]._eval_evalf(prec)
        return OddRoot(u, self.args[1])._eval_evalf(prec) if u.is_negative or u.is_nonnegative else None

    def _mpmathcode(self, printer: CodePrinter) -> str:
        u, q = printer._print(self.args[0]), int(self.args[1])
        return f"(sign({u})*root(abs({u}), {q}))"

    def _pythoncode(self, printer: CodePrinter) -> str:
        u, q = printer._print(self.args[0]), int(self.args[1])
        return f"copysign(abs({u})**(1/{q}), {u})"


def power(base: Expr, exponent: Expr) -> Expr:
    """Return base**exponent, real wherever the exponent has an odd denominator."""
    if exponent.is_Rational and exponent.q % 2 and exponent.q > 1:
        return OddRoot(base, Integer(exponent.q)) ** exponent.p
    return Pow(base, exponent)


def with_powers(expression: Expr) -> Expr:
    """Rewrite roots of odd order as powers."""
    return expression.replace(OddRoot, lambda u, q: Pow(u, S.One / q)) if expression.has(OddRoot) else expression
