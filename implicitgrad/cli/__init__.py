"""The command line: arguments and their defaults in, text and exit codes out; no arithmetic, and nothing imports it."""
