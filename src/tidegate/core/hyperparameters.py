"""What is wrong with a hyperparameter, in the words of the image that would refuse it."""

from __future__ import annotations


class BadHyperparameter(ValueError):
    """One hyperparameter is not the image's, or not in its range.

    Parameters
    ----------
    name : str
        The hyperparameter.
    sentence : str
        The image's complaint.
    """

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name
