"""Name the mistake that a wrong gradient probably comes from."""
