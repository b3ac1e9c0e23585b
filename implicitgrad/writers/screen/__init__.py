"""Lay out answers for a screen or a text file: tables, and the summary of a large answer."""
