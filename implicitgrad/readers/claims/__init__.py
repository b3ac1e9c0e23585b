"""Claims about a linear system: from ``expect``, options or Python values."""
