"""Studies pooled as a reviewer asks: what a table of one's own and the project's evidence share."""
