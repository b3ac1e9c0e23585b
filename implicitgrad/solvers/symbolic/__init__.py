"""Solve with letters, and find where the answer does not hold."""
