"""Where expressions with letters are 0 together: at points, in the reals, and by the ideal that they generate."""
