"""Judge claims about the answer to a quadratic program: ProgramClaims and ProgramSolution → Verdict."""
