"""The laptop cloud: MiniStack embedded as a library, and a SageMaker of our own beside it."""
