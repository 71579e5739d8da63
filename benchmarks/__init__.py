"""Figures: what things cost, measured beside what they are compared with."""
