"""Matrices as a shell argument, and as other programs print them."""
