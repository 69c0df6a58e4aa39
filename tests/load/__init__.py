"""How many requests the service answers, how fast, in how much memory: ``python -m tests.load --help``."""
