"""Solution → text."""
