"""A meta-analysis of anybody's table, whole: read, pooled, examined, drawn and written down."""
