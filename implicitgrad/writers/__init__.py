"""Write answers and verdicts.

document.py says what a page shows, and in which order; record.py what a JSON record holds; formats.py lists writers.
"""
