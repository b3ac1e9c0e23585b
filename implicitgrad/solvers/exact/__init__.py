"""Solve in rational numbers, with the derivation by hand, if it is asked for."""
