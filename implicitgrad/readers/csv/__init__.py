"""CSV and TSV: tables of numbers with names, and claims in a comment."""
