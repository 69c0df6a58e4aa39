"""The evidence: files read into typed, checked studies, and the choice of what is pooled."""
