"""Many patients at once: record batches of profiles in, record batches of answers out."""
