"""Quadratic programs: an optimum with its proof, the active constraints, and which derivatives exist."""
