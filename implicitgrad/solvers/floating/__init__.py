"""Solve in doubles, with a certified bound on the error of every number, or by a truncated SVD."""
