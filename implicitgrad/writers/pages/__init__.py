"""Lay out the document in the other page formats: HTML, Markdown, LaTeX, and facts one a line."""
