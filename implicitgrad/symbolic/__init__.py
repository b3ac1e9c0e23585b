"""Numbers with letters, by sympy: the text of expressions, their derivatives, their exact arithmetic, their zeros."""
