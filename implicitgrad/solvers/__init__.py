"""Solve a LinearSystem in exact, floating-point or symbolic arithmetic: LinearSystem → Solution."""
