"""Pictures: decoding, and bringing them into one form."""
