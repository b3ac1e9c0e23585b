"""Quadratic programs and claims about them: from arrays, or from expressions."""
