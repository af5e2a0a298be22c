"""The words of Tidegate as code: model files, names, gates, messages. Standard library only, no AWS calls."""
