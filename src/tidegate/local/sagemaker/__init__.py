"""A SageMaker for the laptop: the same API, jobs and model servers as local processes."""
