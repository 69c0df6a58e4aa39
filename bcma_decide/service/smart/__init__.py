"""SMART App Launch 2: a browser comes from an EHR, the record is read once, and the page is filled from it."""
