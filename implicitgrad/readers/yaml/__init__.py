"""YAML, and JSON as its subset: systems, programs and claims with their positions."""
