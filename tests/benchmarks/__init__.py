"""How long things take, as ratios: ``python -m tests.benchmarks --help``."""
