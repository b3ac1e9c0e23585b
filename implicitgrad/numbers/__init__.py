"""Matrices of numbers: exact rationals, and doubles with bounds on their errors."""
