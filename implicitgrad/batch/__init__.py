"""Solve or check many systems: inputs → chunks → worker processes → outputs, with resumption and progress."""
