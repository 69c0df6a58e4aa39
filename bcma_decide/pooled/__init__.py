"""The pooled file as plain values: what the workshop writes and the bedside reads."""
