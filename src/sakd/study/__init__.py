"""A study: its grid and parameters, its trainings, their store and their evaluation."""
