"""`tidegate doctor`: looks at what Tidegate needs, and says what to do where it is not there."""
