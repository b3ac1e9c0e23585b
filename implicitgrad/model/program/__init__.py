"""A quadratic program as it is written, as a problem, and its answer."""
