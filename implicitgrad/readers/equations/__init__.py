"""Equations, and matrix entries that are expressions with letters."""
