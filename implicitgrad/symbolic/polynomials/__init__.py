"""Polynomials in unknowns whose coefficients are rational functions of letters, at a point; without sympy."""
