"""Sheets on paper, made in processes of their own."""
