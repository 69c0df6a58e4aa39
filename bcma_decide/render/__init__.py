"""Faces of a comparison: terminal, HTML page, picture; all drawn from the `Comparison` alone."""
