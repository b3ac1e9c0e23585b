"""Matrices of numbers: exact rationals, doubles with bounds on their errors, letters; and the text of numbers."""
