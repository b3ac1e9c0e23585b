"""The command line: arguments in, text and exit codes out; no arithmetic, and nothing imports it."""
