"""Executors that answer chunks: processes of this machine, or the workers of a Dask scheduler."""
