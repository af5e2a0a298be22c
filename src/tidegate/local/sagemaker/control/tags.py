"""Tags of any resource, kept by its ARN: AddTags, ListTags, DeleteTags."""

from __future__ import annotations

from typing import Any

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.errors import ValidationException
from tidegate.local.sagemaker.store import AlreadyExists

_KIND = "tags"
_MOST_TAGS = 50


def add_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Add tags to a resource, or give those it has new values."""
    arn = _key(request["ResourceArn"])

    def merge(record: dict[str, Any]) -> dict[str, Any]:
        values = _as_map(record) | _as_map(request)
        if len(values) > _MOST_TAGS:
            raise ValidationException(
                f"A resource may have {_MOST_TAGS} tags, and {arn} would have {len(values)}. "
                "Delete some first."
            )
        return {**record, "Tags": _as_list(values)}

    _ensure(ctx, arn)
    return {"Tags": ctx.store.change(_KIND, arn, merge)["Tags"]}


def list_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """List all tags of a resource: never more than one page, since a resource has at most 50."""
    if "NextToken" in request:
        raise ValidationException("ListTags gives all tags in one answer here. Call it without NextToken.")
    return {"Tags": _as_list(tags_of(ctx, request["ResourceArn"]))}


def delete_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Take tags off a resource; keys that it does not have are no error."""
    arn, gone = _key(request["ResourceArn"]), set(request["TagKeys"])
    _ensure(ctx, arn)
    ctx.store.change(
        _KIND,
        arn,
        lambda record: {**record, "Tags": [tag for tag in record["Tags"] if tag["Key"] not in gone]},
    )
    return {}


def tags_of(ctx: Context, arn: str) -> dict[str, str]:
    """Return the tags of a resource as a map; empty when it has none."""
    return _as_map(ctx.store.get(_KIND, _key(arn)) or {})


def replace_tags(ctx: Context, arn: str, tags: list[dict[str, str]]) -> None:
    """Give a new resource exactly these tags: what an earlier one of the same name had is gone."""
    ctx.store.delete(_KIND, _key(arn))
    if tags:
        ctx.store.create(_KIND, _key(arn), {"Tags": tags})


def check_tags(tags: list[dict[str, str]]) -> None:
    """Refuse what SageMaker refuses in a list of tags beyond its shape: repeated and reserved keys."""
    keys = [tag["Key"] for tag in tags]
    for key in keys:
        if keys.count(key) > 1:
            raise ValidationException(f"The tag key '{key}' is given more than once. Give each key once.")
        if key.lower().startswith("aws:"):
            raise ValidationException(f"The tag key '{key}' begins with aws:, which is reserved for AWS.")


def _key(arn: str) -> str:
    # Names in ARNs are lower case; a caller may write the resource's own spelling.
    return arn.lower()


def _ensure(ctx: Context, arn: str) -> None:
    try:
        ctx.store.create(_KIND, arn, {"Tags": []})
    except AlreadyExists:
        return


def _as_map(record: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in record.get("Tags", ())}


def _as_list(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


OPERATIONS = {"AddTags": add_tags, "ListTags": list_tags, "DeleteTags": delete_tags}
