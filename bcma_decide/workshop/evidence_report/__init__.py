"""The report of the evidence: one page with every study, every pooled outcome, and everything left out and why."""
