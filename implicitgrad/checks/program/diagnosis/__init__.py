"""Name the mistake that a wrong claim about a program probably comes from: one file per kind."""
