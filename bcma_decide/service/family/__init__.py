"""Several workers on one address, and what looks after them."""
