"""The grammar of equations, expressions and constraints as text, and the names in them; without sympy."""
