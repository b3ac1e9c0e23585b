"""Write answers and verdicts: document.py says what a page shows, and formats.py lists a writer for each format."""
