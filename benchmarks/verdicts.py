"""Tells how true the verdicts are: false alarms, what is found and how soon, on real tables and made ones.

    .venv/bin/python benchmarks/verdicts.py [--only tables,hours,alike,soon,power,quality,worlds,replay]

- tables: random, unchanged windows of ten real tables, from captured files to the verdict;
- hours: ninety days of hourly checks of a world that does not change, as often as fits in --minutes, and
  again at twenty times the rate;
- alike: the same where consecutive rows are alike;
- soon: after how many rows a shift in one of twenty columns is found;
- power: how often each of eight changes shows in one window of four sizes, beside Model Monitor's rules,
  Evidently and NannyML, each in an environment of its own;
- quality: the same questions of a model's quality, with the truth of 200 rows a check;
- worlds: New Zealand's cars month by month, rentals of bikes by season;
- replay: those cars day by day, with what people hear and what each policy of retraining brings.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import machine
from verdict_hours import CHECKS, quiet, rows_until_found
from verdict_power import EQUAL, UNCHANGED, compared
from verdict_quality import steady, until_found
from verdict_replay import replay
from verdict_tables import SIZES, false_alarms, tables
from verdict_worlds import bikes, vehicles

ROOT = Path(__file__).parent.parent
PARTS = ("tables", "hours", "alike", "soon", "power", "quality", "worlds", "replay")
VEHICLES = "nz_used_vehicles_2023_2024.csv"


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
    parser.add_argument("--minutes", type=float, default=10.0, help="for each count of ninety days")
    parser.add_argument(
        "--peers-folder",
        type=Path,
        default=Path.home() / ".cache" / "tidegate" / "verdict-peers",
        help="where the peers' environments are kept",
    )
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


def _hours(arguments: argparse.Namespace, alike: float = 0.0) -> list[dict[str, Any]]:
    found = []
    for stretch in (1.0, 20.0):
        each = quiet(arguments.times, arguments.checks, 200, 5000, alike, arguments.minutes, stretch)
        print(
            f"{each['times']} times {each['checks']:,} hourly checks of 200 rows, twenty columns, a baseline "
            f"of 5,000{f', neighbours correlated by {alike}' if alike else ''}"
            f"{f', at {stretch:.0f} times the rate' if stretch > 1 else ''}: {each['alarms']} alarms, "
            f"{each['in_90_days']:.2f} in 90 days, of {each['allowed']:.1f} allowed",
            flush=True,
        )
        found.append(each)
    return found


def _alike(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    return [each for alike in (0.5, 0.9) for each in _hours(arguments, alike)]


def _soon(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    found = []
    for distance in (0.1, 0.15, 0.2, 0.3):
        each = rows_until_found(distance, arguments.times, 200, 5000)
        print(f"a shift of {distance} in one of twenty columns: {each['median']:,.0f} rows at the median")
        found.append(each)
    return found


def _power(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    found = compared(arguments.times, arguments.windows, arguments.peers_folder)
    print(f"by default, and where {EQUAL:.0%} of unchanged windows alarm")
    for each in found:
        what = "unchanged windows that alarm" if each["change"] == UNCHANGED else each["change"]
        shares = [
            f"{name} {value['default']:.0%} ({value['equal']:.0%})"
            for name, value in each.items()
            if isinstance(value, dict)
        ]
        print(f"{what:30} {each['rows']:5,} rows, {each['windows']} windows: {', '.join(shares)}")
    return found


def _quality(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    found = []
    for alike in (0.0, 0.5, 0.9):
        each = steady(arguments.times, 200, 200, alike, 0.01)
        print(
            f"{each['times']} times {each['checks']} checks of 200 truths, errors as at training"
            f"{f', neighbours correlated by {alike}' if alike else ''}, at a rate of {each['rate']:.0%}: "
            f"{sum(each['alarms'])} alarms, of {each['times'] * each['checks'] * each['rate']:.0f} allowed",
            flush=True,
        )
        found.append(each)
    for by, over in ((0.1, 1), (0.15, 1), (0.3, 1), (0.3, 30)):
        each = until_found(arguments.times, 200, by, over)
        print(
            f"errors {by:.0%} larger within {over} checks: found after {each['median']:,.0f} truths (median)"
        )
        found.append(each)
    return found


def _replay(arguments: argparse.Namespace) -> dict[str, Any]:
    if not (arguments.data / VEHICLES).is_file():
        print(f"skipped replay: {arguments.data / VEHICLES} is not on this machine")
        return {}
    found = replay(arguments.data / VEHICLES)
    for policy, each in found.items():
        print(
            f"cars of 2024, retrain {policy}: R² {each['r2']:.3f}, {len(each['trainings'])} trainings, "
            f"{len(each['messages'])} messages; by month "
            + " ".join(f"{r2:.2f}" for r2 in each["r2_by_month"].values())
        )
        for subject in each["messages"]:
            print(f"    {subject}")
    return found


def _worlds(arguments: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, file, world in (
        ("vehicles", VEHICLES, vehicles),
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
    "quality": _quality,
    "worlds": _worlds,
    "replay": _replay,
}


if __name__ == "__main__":
    main()
