"""What a model's predictions are worth before truth comes: estimates, learned from the held-out rows."""
