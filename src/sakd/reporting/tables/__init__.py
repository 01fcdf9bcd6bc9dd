"""Numbers: frames, differences, summaries, caveats."""
