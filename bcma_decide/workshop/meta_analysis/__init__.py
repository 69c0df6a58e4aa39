"""Workshop: from studies to the pooled evidence. Arrays in, arrays out; only fit() and its inputs know files."""
