"""Bedside: from the pooled file to the numbers of one patient. No scipy, no evidence files."""
