"""CDS Hooks: requests, prefetch, orders, cards."""
