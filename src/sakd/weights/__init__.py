"""Trained weights on disk: ours and those that others saved."""
