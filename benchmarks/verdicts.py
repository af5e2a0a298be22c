"""Tells how true the verdicts are: false alarms, what is found and how soon, on real tables and made ones.

    .venv/bin/python benchmarks/verdicts.py [--only tables,hours,alike,soon,power,worlds] [--windows 200]

- tables: random, unchanged windows of ten real tables, from captured files to the verdict;
- hours: ninety days of hourly checks of a world that does not change;
- alike: the same where consecutive rows are alike;
- soon: after how many rows a shift in one of twenty columns is found;
- power: how often each of eight changes shows in one window of four sizes;
- worlds: New Zealand's cars month by month, rentals of bikes by season.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import machine
from verdict_hours import CHECKS, power, quiet, rows_until_found
from verdict_tables import SIZES, false_alarms, tables
from verdict_worlds import bikes, vehicles

ROOT = Path(__file__).parent.parent
PARTS = ("tables", "hours", "alike", "soon", "power", "worlds")


def main() -> None:
    """Read the command line and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--windows", type=int, default=200, help="of each table and size")
    parser.add_argument("--times", type=int, default=20, help="ninety days, or shifts")
    parser.add_argument("--checks", type=int, default=CHECKS, help="of each ninety days")
    parser.add_argument("--rate", type=float, default=None, help="of false alarms, for the tables")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    print(machine.told(), file=sys.stderr, flush=True)
    found: dict[str, Any] = {}
    for part in arguments.only.split(","):
        found[part] = _PARTS[part](arguments)
    if arguments.json:
        print(json.dumps(found, indent=2, default=lambda value: None if math.isnan(value) else float(value)))


def _tables(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    found = []
    for table in tables(arguments.data):
        for size in SIZES:
            each = false_alarms(table, size, arguments.windows, arguments.rate)
            print(
                f"{each['table']:28} {size:5,} rows: {each['alarms']} of {each['windows']} unchanged windows "
                f"alarm ({each['share']:.1%}) {each['behind'] or ''}",
                flush=True,
            )
            found.append(each)
    return found


def _hours(arguments: argparse.Namespace, alike: float = 0.0) -> dict[str, Any]:
    each = quiet(arguments.times, arguments.checks, 200, 5000, alike)
    print(
        f"{each['times']} times {each['checks']:,} hourly checks of 200 rows, twenty columns, a baseline of "
        f"5,000 rows{f', neighbours correlated by {alike}' if alike else ''}: {each['alarms']} alarms, "
        f"{each['in_90_days']:.2f} in 90 days",
        flush=True,
    )
    return each


def _alike(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    return [_hours(arguments, alike) for alike in (0.5, 0.9)]


def _soon(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    found = []
    for distance in (0.1, 0.15, 0.2, 0.3):
        each = rows_until_found(distance, arguments.times, 200, 5000)
        print(f"a shift of {distance} in one of twenty columns: {each['median']:,.0f} rows at the median")
        found.append(each)
    return found


def _power(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    found = power(arguments.times, 5000)
    for each in found:
        print(
            f"{each['change']:30} {each['rows']:5,} rows: {each['found']:4.0%} found, "
            f"{each['model_monitor']:4.0%} by Model Monitor's rules"
        )
    return found


def _worlds(arguments: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, file, world in (
        ("vehicles", "nz_used_vehicles_2023_2024.csv", vehicles),
        ("bikes", "bike_sharing_hour.csv", bikes),
    ):
        if not (arguments.data / file).is_file():
            print(f"skipped {name}: {arguments.data / file} is not on this machine")
            continue
        found[name] = world(arguments.data / file)
        for window, each in found[name].items():
            print(
                f"{name} {window}: {each['rows']:5} rows, features {each['features']:5} "
                f"(farthest {each['largest_distance']:.3f}), model {each['quality']:5} "
                f"(MAE {each['mae']:.4g}, before {each['mae_before']:.4g})  {each['columns'] or ''}"
            )
    return found


_PARTS = {
    "tables": _tables,
    "hours": _hours,
    "alike": _alike,
    "soon": _soon,
    "power": _power,
    "worlds": _worlds,
}


if __name__ == "__main__":
    main()
