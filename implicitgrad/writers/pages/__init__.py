"""Lay out the document in the page formats other than the screen's: HTML, Markdown, LaTeX, and facts one a line."""
