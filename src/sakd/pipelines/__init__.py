"""The stages of the project, one folder each: thin nodes, and how they are wired."""
