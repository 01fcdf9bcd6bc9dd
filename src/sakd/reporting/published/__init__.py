"""Published accuracies, the settings that they stand for, and a study next to them."""
