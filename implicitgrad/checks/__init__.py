"""Judge claims about a solution: Claims and Solution → Verdict."""
