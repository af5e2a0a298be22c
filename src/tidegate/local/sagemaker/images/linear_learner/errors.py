"""The one error that this image reports to its user: something in the request, the data or the settings."""

from tidegate.local.sagemaker.images.container import ContainerError


class ClientError(ContainerError):
    """A fault that the person who asked can mend.

    As a job's reason it reads ``ClientError: …``, as the built-in algorithm's do; ``sentence`` is the bare
    text.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(f"ClientError: {sentence}")
        self.sentence = sentence
