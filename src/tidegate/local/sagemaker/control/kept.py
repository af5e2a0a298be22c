"""What people make once and never change, and find, list and delete by its name: models, configurations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.control import tags
from tidegate.local.sagemaker.errors import ValidationException
from tidegate.local.sagemaker.paging import list_page, pick
from tidegate.local.sagemaker.store import AlreadyExists, now

Record = dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """One kind of such resources.

    Parameters
    ----------
    kind
        What the store calls it, as its ARN does.
    title
        What AWS calls it in its errors.
    noun
        The word that begins its members' names, such as ``Model`` of ``ModelName`` and ``ModelArn``.
    """

    kind: str
    title: str
    noun: str

    def arn(self, ctx: Context, name: str) -> str:
        """Give the ARN of a name."""
        return ctx.arn(self.kind, name)

    def create(self, ctx: Context, name: str, record: Record) -> dict[str, Any]:
        """Keep a record whose name is free, and answer with its ARN."""
        arn = self.arn(ctx, name)
        own = {f"{self.noun}Arn": arn, "CreationTime": now()}
        try:
            ctx.store.create(self.kind, name, {**record, **own})
        except AlreadyExists as error:
            raise ValidationException(f'Cannot create already existing {self.title} "{arn}".') from error
        return {f"{self.noun}Arn": arn}

    def find(self, ctx: Context, name: str) -> Record:
        """Return a record, or raise the error that AWS gives for an unknown name."""
        record = ctx.store.get(self.kind, name)
        if record is None:
            raise ValidationException(f'Could not find {self.title} "{self.arn(ctx, name)}".')
        return record

    def list(self, ctx: Context, request: Record) -> Record:
        """List what there is, newest first unless asked otherwise."""
        return list_page(
            ctx.store.list(self.kind),
            request,
            answer=f"{self.noun}s",
            name=f"{self.noun}Name",
            summarize=pick(f"{self.noun}Name", f"{self.noun}Arn", "CreationTime"),
        )

    def delete(self, ctx: Context, name: str) -> Record:
        """Forget a record and its tags."""
        self.find(ctx, name)
        ctx.store.delete(self.kind, name)
        tags.replace_tags(ctx, self.arn(ctx, name), [])
        return {}
