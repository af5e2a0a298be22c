"""What runs inside an endpoint: the recipe applied by the standard library alone, and its archive."""
