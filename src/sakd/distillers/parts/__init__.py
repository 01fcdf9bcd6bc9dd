"""Parts that several distillers share."""
