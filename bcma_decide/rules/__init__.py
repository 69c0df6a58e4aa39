"""Rule files and labels + one patient -> findings, indications and practical facts, in three values."""
