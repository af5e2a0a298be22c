"""Runs `sam validate --lint` on the template for every region that it has images for.

    python scripts/validate_regions.py [REGION…]

SAM's own command is called inside this process, which spares its start-up for each region. The exit code is 1
if the template is not valid somewhere; what SAM said is printed.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
LISTED = ROOT / ".cfnlintrc"


def validate(region: str) -> tuple[int, str]:
    """Give the exit code and the words of SAM for one region."""
    from click.testing import CliRunner
    from samcli.cli.main import cli

    said = CliRunner().invoke(
        cli, ["validate", "--lint", "--region", region, "--template-file", str(ROOT / "template.yaml")]
    )
    return said.exit_code, said.output


def main() -> int:
    """Validate for the regions that were named, or for all of them."""
    os.environ["SAM_CLI_TELEMETRY"] = "0"
    regions = sys.argv[1:] or yaml.safe_load(LISTED.read_text())["regions"]
    wrong = 0
    with ProcessPoolExecutor() as pool:
        for region, (code, said) in zip(regions, pool.map(validate, regions), strict=True):
            print(f"{region}: {'valid' if code == 0 else 'NOT VALID'}", flush=True)
            if code:
                wrong += 1
                print(said, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
