"""Name the mistake that a wrong claim probably comes from: a file per kind, tried in the order of diagnose.py."""
