"""Linear systems from what readers found: matrices in one arithmetic, names, and where something does not fit."""
