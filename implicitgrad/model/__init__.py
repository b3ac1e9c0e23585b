"""What a system, its solution, the claims about it and the verdict on them are. No reading, no solving, no output."""
