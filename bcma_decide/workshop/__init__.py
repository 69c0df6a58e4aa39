"""Studies become estimates: runs when evidence changes, may be slow, and is never imported at the bedside."""
