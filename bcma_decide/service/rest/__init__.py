"""REST: comparisons, evidence, schema."""
