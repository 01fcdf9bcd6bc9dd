"""Pieces that several systems share, one idea in each file."""
