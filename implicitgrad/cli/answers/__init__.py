"""The answers of solve: build, solve, restrict to --show and write systems, here or in a process that can be killed."""
