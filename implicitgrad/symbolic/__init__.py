"""Numbers with letters, by sympy, which only this folder imports; functions.py has the functions of the grammar."""
