"""Documents: terminal, Markdown, HTML."""
