"""Files, FIFOs and standard input: their bytes, decoded, within limits."""
