"""Characters, the grammar of a number, and the errors: what all other folders read and write text with."""
