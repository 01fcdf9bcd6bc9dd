"""What several distillers share."""
