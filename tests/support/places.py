"""Where things lie in the repository."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
EVIDENCE = ROOT / "evidence"
REPORTS = ROOT / "reports"
RECORDS = ROOT / "tests" / "fhir" / "reading" / "bundles"
"""The shipped example patients as records."""
