"""Write the verdicts of check: for a screen, for CI services, and as JSON."""
