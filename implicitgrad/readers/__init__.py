"""Read systems, programs and claims: from files, a reader for each format in formats.py; from equations; as options."""
