"""Decide whether linear forms of unknowns can lie in given intervals together."""
