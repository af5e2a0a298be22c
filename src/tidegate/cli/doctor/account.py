"""What AWS has to give before anything is deployed: credentials, a region with the images, and quotas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tidegate.cli.doctor.finding import Finding, looked
from tidegate.cli.place import Place
from tidegate.core.quotas import Need

TEMPLATE = Path("template.yaml")
_MAP = re.compile(r"# image accounts:.*?\n(.*?)# end of image accounts", re.S)


def look(place: Place, needed: Iterable[Need]) -> Iterator[Finding]:
    """Look at an account and a region."""
    yield from looked("credentials", _credentials, place, hidden=False)
    accounts = _accounts()
    region = place.session.region_name
    yield _region(region, accounts)
    if accounts and region in accounts:
        yield from looked("prebuilt images", _images, place, accounts[region])
    yield from looked("quotas of SageMaker", _quotas, place, needed)


def _credentials(place: Place) -> Iterator[Finding]:
    identity = place.client("sts").get_caller_identity()
    yield Finding("credentials", True, f"{identity['Arn']}, account {identity['Account']}")


def _accounts() -> Mapping[str, Mapping[str, str]]:
    """Read from the template who holds the prebuilt images, by region; outside the project nothing."""
    found = _MAP.search(TEMPLATE.read_text()) if TEMPLATE.is_file() else None
    return yaml.safe_load(found[1])["ImageAccounts"] if found else {}


def _region(region: str | None, accounts: Mapping[str, Any]) -> Finding:
    what = "a region that is served"
    if region is None:
        return Finding(what, False, "no region is chosen", "Give --region, or set AWS_REGION.")
    if not accounts:
        return Finding(
            what, None, f"{region}; there is no template.yaml here", "Run it in the project's folder."
        )
    if region not in accounts:
        near = sorted(name for name in accounts if name[:2] == region[:2]) or sorted(accounts)
        return Finding(
            what, False, f"{region} has not all images", f"Choose another with --region: {', '.join(near)}."
        )
    return Finding(what, True, region)


def images_of(template: str) -> list[tuple[str, str, str]]:
    """Read from the template which images it names: the word of the map, the repository and the tag."""
    found = re.findall(
        r"/([a-z-]+):([\w.-]+)\", \{ Account: !FindInMap \[ImageAccounts, !Ref AWS::Region, (\w+)\]", template
    )
    return sorted({(word, repository, tag) for repository, tag, word in found})


def _images(place: Place, accounts: Mapping[str, str]) -> Iterator[Finding]:
    for word, repository, tag in images_of(TEMPLATE.read_text()):
        answer = place.client("ecr").batch_get_image(
            registryId=accounts[word], repositoryName=repository, imageIds=[{"imageTag": tag}]
        )
        there = bool(answer.get("images"))
        remedy = "" if there else "Choose another region, or another version of the image in template.yaml."
        yield Finding(f"the image {repository}:{tag}", there, "there" if there else "not there", remedy)


def _quotas(place: Place, needed: Iterable[Need]) -> Iterator[Finding]:
    """Compare what models need with what Service Quotas says; a quota that nobody raised has its default."""
    client = place.client("service-quotas")
    applied: dict[str, float] = {}
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        for page in client.get_paginator(operation).paginate(ServiceCode="sagemaker"):
            applied |= {each["QuotaName"]: float(each["Value"]) for each in page["Quotas"]}
    for need in needed:
        yield judge(need, applied.get(need.quota))


def judge(need: Need, quota: float | None) -> Finding:
    """Say whether a quota is enough."""
    wanted = f"{need.least} {need.quota}"
    if quota is None:
        return Finding(wanted, None, "Service Quotas knows no such quota", "Look it up in the console.")
    ask = f"Ask for {need.most} in Service Quotas (SageMaker, {need.quota})."
    found = f"the quota is {quota:g}"
    if quota < need.least:
        return Finding(wanted, False, found, ask)
    if quota < need.most:
        return Finding(
            wanted, True, f"{found}; {need.most} where endpoints have scaled out and are updated", ask
        )
    return Finding(wanted, True, found)
