"""Answer items: read, build, solve and write each system, quick ones together and slow ones apart."""
