"""Write the sections of a page that only some answers have, each for a kind of fact; document.py writes the others."""
