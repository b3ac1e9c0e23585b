"""The systems of a batch in chunks: from paths, patterns, lists of files, stacks and streams."""
