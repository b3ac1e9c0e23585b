"""Write answers as data: JSON, YAML, CSV and NumPy files."""
