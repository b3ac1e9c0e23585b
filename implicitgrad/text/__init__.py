"""Characters, the grammar of a number, and the errors: what every other room reads and writes text with."""
