"""Write the sections of a page on a Solution that only some answers have, each for a kind of fact."""
