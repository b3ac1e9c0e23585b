"""Numbers with letters in them: elements of a field of rational functions, by sympy, which only this part imports."""
