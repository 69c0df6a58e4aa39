"""What every door of the service shares: bodies, problems, headers, limits, metrics."""
