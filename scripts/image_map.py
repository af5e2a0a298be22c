"""Writes the template's map of SageMaker image accounts from the SageMaker SDK's own data.

    python scripts/image_map.py path/to/sagemaker/image_uri_config [--check]

The data lies in the SDK's wheel (`sagemaker` 2.x, folder `sagemaker/image_uri_config`), which need
not be installed: `pip download --no-deps sagemaker==2.257.0` and unzip. With --check nothing is written, and
the exit code is 1 if the template differs.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
SOURCES = {
    "XGBoost": ("xgboost", "3.0-5"),
    "LinearLearner": ("linear-learner", "1"),
    "Sklearn": ("sklearn", "1.2-1"),
}
BEGIN, END = "  # image accounts: made by scripts/image_map.py\n", "  # end of image accounts\n"


def registries(config: dict, version: str) -> dict[str, str]:
    """Read region → account of one image version."""
    scope = config.get("inference", config)
    return scope["versions"][version]["registries"]


def mapping(folder: Path) -> str:
    """Write the Mappings entry, one line a region."""
    accounts = {
        name: registries(json.loads((folder / f"{file}.json").read_text()), version)
        for name, (file, version) in SOURCES.items()
    }
    regions = sorted(set.intersection(*(set(found) for found in accounts.values())))
    lines = ["  ImageAccounts:"]
    for region in regions:
        entry = ", ".join(f'{name}: "{accounts[name][region]}"' for name in SOURCES)
        lines.append(f"    {region}: {{ {entry} }}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Rewrite the map between its marks, or check it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    text = TEMPLATE.read_text()
    between = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.S)
    fresh = between.sub(lambda _: BEGIN + mapping(options.folder) + END, text)
    if options.check:
        if fresh != text:
            print(
                f"template.yaml's image accounts are out of date: run this with {options.folder}",
                file=sys.stderr,
            )
        return 0 if fresh == text else 1
    TEMPLATE.write_text(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
