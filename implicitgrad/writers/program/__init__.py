"""Write the answer to a quadratic program: its document, its record, and what single formats add."""
