"""Standard streams, files that are never half written, signals, and what a screen can show."""
