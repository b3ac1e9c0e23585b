"""Where results go: lines, one file of arrays, or a directory; and those of an earlier batch, to resume it."""
