"""Trained weights on disk: those of this project and those that others saved."""
