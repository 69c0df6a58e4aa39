"""The printable sheet: its views, drawings, page and PDF."""
