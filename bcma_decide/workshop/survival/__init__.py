"""Progression-free survival: published curves in, levels and slopes of every product out."""
