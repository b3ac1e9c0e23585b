"""Exact arithmetic with letters: the field of rational functions of letters and of functions of them."""
