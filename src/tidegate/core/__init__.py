"""The words of Tidegate as code: model files, names, gates and messages. Standard library only, no AWS calls."""
