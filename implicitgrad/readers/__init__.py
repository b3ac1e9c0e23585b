"""Read systems and claims from YAML, JSON, CSV, NumPy files, equations and command-line text."""
