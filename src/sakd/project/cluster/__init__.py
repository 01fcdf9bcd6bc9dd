"""Trainings on the machines of a Ray cluster."""
