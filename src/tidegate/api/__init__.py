"""The real-time API without AWS: requests read and checked, answers written, the document that tells of both.

It reads cells by the rules of `tidegate.serving`, as the endpoints do. Standard library only.
"""
