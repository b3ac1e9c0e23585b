"""The answers of solve: build, solve and write each system, in this process or in one that can be killed."""
