"""The results of check: the reports on claims, and --update, which rewrites them."""
