"""The solver of large sparse systems: one sparse LU decomposition, never a matrix with all its zeros."""
