"""Equations near a point: their derivatives, a solution of them, and bounds on both by interval Newton."""
