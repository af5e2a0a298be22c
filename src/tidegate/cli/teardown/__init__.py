"""Taking down: what there is of a model or of a stack, and removing it."""
