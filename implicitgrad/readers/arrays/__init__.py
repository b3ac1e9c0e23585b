"""NumPy's arrays and files, Python values, stacks of systems, sparse matrices."""
