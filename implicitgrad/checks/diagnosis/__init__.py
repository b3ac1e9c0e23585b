"""Name the mistake that a wrong claim probably comes from: one file per kind, tried in the order of diagnose.py."""
