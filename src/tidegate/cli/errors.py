"""What people read when a verb cannot do its work: a sentence about what is wrong, one about what to do."""

from __future__ import annotations

from typing import Any

EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
UNKNOWN_KEYS = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "403"}
SIGN_IN_AGAIN = "Sign in again (for example `aws sso login`), or choose other credentials with --profile."
CHOOSE_A_CLOUD = "Start the local cloud with `tidegate up`, or sign in to AWS and choose it with --profile."


class Trouble(Exception):
    """A verb ends here, with words for a person.

    Parameters
    ----------
    message : str
        One sentence: what is wrong, and where.
    remedy : str
        What to do about it.
    exit_code : int
        What the process answers: 1 for a failure, 2 for a wrong use.
    """

    def __init__(self, message: str, remedy: str = "", exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.exit_code = exit_code

    def document(self) -> dict[str, Any]:
        """Give the form that ``--json`` prints."""
        return {"error": {"message": self.message, "remedy": self.remedy}}


def explain(error: Exception, where: str) -> Trouble | None:
    """Put an error of boto3, of the core or of the file system into words.

    Parameters
    ----------
    error : Exception
        What was raised.
    where : str
        Which cloud was spoken to, for the sentence.

    Returns
    -------
    Trouble or None
        None when the error is none of those: a fault of ours, which deserves its traceback.
    """
    from tidegate.core.errors import DataError, TidegateError

    if isinstance(error, Trouble):
        return error
    if isinstance(error, DataError):  # whoever types a command holds the file
        return Trouble(error.plain, "")
    if isinstance(error, TidegateError):
        return Trouble(str(error), getattr(error, "remedy", ""))
    if isinstance(error, OSError) and error.filename is not None:
        return Trouble(f"{error.filename}: {error.strerror}.", "Check the path and its permissions.")
    return _explain_boto(error, where)


def _explain_boto(error: Exception, where: str) -> Trouble | None:
    from botocore import exceptions as boto

    if isinstance(error, boto.ClientError):
        return _explain_answer(error.response.get("Error", {}), error.operation_name, where)
    if isinstance(error, boto.ProfileNotFound):
        return Trouble(f"{error}.", "`aws configure list-profiles` lists the profiles of this machine.")
    if isinstance(error, boto.NoRegionError):
        return Trouble("No AWS region is chosen.", "Give --region, or set AWS_REGION.")
    if isinstance(
        error, boto.NoCredentialsError | boto.PartialCredentialsError | boto.CredentialRetrievalError
    ):
        return Trouble(f"No usable AWS credentials were found ({error}).", CHOOSE_A_CLOUD)
    if isinstance(error, boto.SSOError | boto.TokenRetrievalError):
        return Trouble(f"The AWS sign-in is not valid any more ({error}).", SIGN_IN_AGAIN)
    if isinstance(error, boto.ConnectionError | boto.HTTPClientError):
        return Trouble(
            f"{where[:1].upper()}{where[1:]} does not answer ({error}).",
            "`tidegate status` tells whether the local cloud is up; `tidegate up` starts it. "
            "For AWS, check the network and the region.",
        )
    if isinstance(error, boto.BotoCoreError):
        return Trouble(
            f"The request to {where} could not be made: {error}.", "Check the options of the command."
        )
    return None


def _explain_answer(answer: Any, operation: str, where: str) -> Trouble:
    code, message = str(answer.get("Code", "Unknown")), str(answer.get("Message", "")).strip().rstrip(".")
    if code in EXPIRED:
        return Trouble("The AWS credentials have expired.", SIGN_IN_AGAIN)
    if code in UNKNOWN_KEYS:
        return Trouble(f"AWS does not accept these credentials ({code}).", SIGN_IN_AGAIN)
    if code in DENIED:
        return Trouble(
            f"These credentials may not call {operation}: {message or code}.",
            "Ask for the permission, or choose other credentials with --profile.",
        )
    return Trouble(
        f"{operation} failed on {where}: {message or code} ({code}).",
        "Run it again with TIDEGATE_DEBUG=1 to see the whole exchange.",
    )
