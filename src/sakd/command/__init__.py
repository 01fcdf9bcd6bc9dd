"""The command ``sakd``."""
