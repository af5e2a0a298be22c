"""Which instance types have disks of their own, which no key of yours encrypts.

AWS encrypts instance stores (NVMe) with keys of the hardware, and refuses an endpoint configuration that
names a `KmsKeyId` for such an instance (API reference of CreateEndpointConfig: "Certain Nitro-based instances
include local storage … You can't request a KmsKeyId when using an instance type with local storage").
"""

from __future__ import annotations

import re

# By the letter that EC2 gives to a family with instance stores: m5d, c6gd, m6id, r5dn, g4dn, p4d, p4de.
_LETTERED = re.compile(r"ml\.[a-z]+[0-9]+[a-z]*d[a-z]*\.")
# Those that have them without the letter.
_OTHERS = (
    "g5",
    "g6",
    "g6e",
    "gr6",
    "i3",
    "i3en",
    "i4i",
    "p5",
    "p5e",
    "p5en",
    "p6-b200",
    "trn1",
    "trn1n",
    "trn2",
)


def has_own_disks(instance: str) -> bool:
    """Tell whether an instance type has disks of its own.

    >>> [name for name in ("ml.m5.large", "ml.g4dn.xlarge", "ml.g5.xlarge") if has_own_disks(name)]
    ['ml.g4dn.xlarge', 'ml.g5.xlarge']
    """
    return _LETTERED.match(instance) is not None or instance.split(".")[1] in _OTHERS
