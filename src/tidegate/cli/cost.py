"""`tidegate cost`: what a model file would cost on AWS, from a dated price table; no cloud is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from tidegate.cli.apply import checked
from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session
from tidegate.cli.render import table
from tidegate.core.assumptions import Assumptions
from tidegate.core.cost import NOT_COUNTED, Bill, Lines, NoPrice, bill, notes_on, total

PRICES = Path(__file__).with_name("prices.json")
DEFAULT_REGION = "us-east-1"
PARTS = {
    "training_run": "a training run",
    "scoring_run": "a scoring run",
    "check": "a check",
    "empty_check": "a check that finds nothing new",
    "real_time_month": "real time, a month",
    "idle_month": "idle, a month",
    "watching_month": "watching, a month",
}


def cost(session: Session, file: Path, assumed: Assumptions, own: Sequence[str]) -> int:
    """Work out and show what the model of a file costs."""
    spec = checked(file.read_bytes(), file)
    known = json.loads(PRICES.read_text("utf-8"))
    region = session.options.region or DEFAULT_REGION
    listed, given = _listed(known, region), _given(own)
    prices = {name: price for name, (price, _) in listed.items()} | given
    try:
        found = bill(spec, prices, assumed)
    except NoPrice as missing:
        raise Trouble(
            f"The price table of {region} has no price for {missing.name}.",
            f"Look it up and give it: --price {missing.name}=DOLLARS ({_unit(known, missing.name)}).",
        ) from missing
    sources = {name: {"price": price, "source": source} for name, (price, source) in listed.items()}
    sources |= {name: {"price": price, "source": "given"} for name, price in given.items()}
    used = {line.priced_by for lines in _parts(found).values() for line in lines}
    document = {
        "model": spec.name,
        "region": region,
        "currency": known["currency"],
        "looked_up": known["looked_up"],
        **{name: _document(lines) for name, lines in _parts(found).items()},
        "checks_a_month": found.checks_a_month,
        "month": round(found.month, 2),
        "assumed": asdict(assumed),
        "not_counted": NOT_COUNTED,
        "notes": list(notes_on(spec)),
        "prices": {name: {**sources[name], "unit": _unit(known, name)} for name in sorted(used)},
        "sources": known["sources"],
    }
    session.output.answer(document, *_shown(document, found, known))
    return 0


def _listed(known: dict[str, Any], region: str) -> dict[str, tuple[float, str]]:
    regions = known["regions"]
    if region not in regions:
        raise Trouble(
            f"There is no price table for {region}, only for {' and '.join(regions)}.",
            "Take a region that is near in price, and give what differs with --price.",
        )
    return {name: (price, source) for name, (price, source) in regions[region].items()}


def _given(own: Sequence[str]) -> dict[str, float]:
    prices = {}
    for each in own:
        name, _, price = each.partition("=")
        try:
            prices[name] = float(price)
        except ValueError:
            prices[name] = -1.0
        if not name or not 0 <= prices[name] < float("inf"):
            raise Trouble(f"'{each}' is no price.", "Write NAME=DOLLARS: --price ml.m5.large=0.115", 2)
    return prices


def _unit(known: dict[str, Any], name: str) -> str:
    return str(known["units"]["ml.*" if name.startswith("ml.") else name])


def _parts(found: Bill) -> dict[str, Lines]:
    return {name: getattr(found, name) for name in PARTS}


def _document(lines: Lines) -> dict[str, Any]:
    return {"cost": total(lines), "lines": [{**asdict(line), "cost": line.cost} for line in lines]}


def _shown(document: dict[str, Any], found: Bill, known: dict[str, Any]) -> list[RenderableType]:
    head = Text.assemble(
        (document["model"], "bold"), f" on AWS in {document['region']}, US dollars, prices of ",
        f"{document['looked_up']}; an estimate, no offer",
    )  # fmt: skip
    rows = []
    for name, lines in _parts(found).items():
        rows.append([Text(PARTS[name], style="bold"), "", "", Text(dollars(total(lines)), style="bold")])
        rows += [
            [
                f"  {line.what}",
                f"{line.quantity:,.4g} {line.unit}",
                f"${line.price:.12f}".rstrip("0").rstrip("."),
                dollars(line.cost),
            ]
            for line in lines
            if line.cost >= 0.005 * total(lines)
        ]
    assumed = found.assumed
    month = (
        f"{dollars(found.month)} a month with {assumed.training_runs} training runs, "
        f"{assumed.scoring_runs} scoring runs, {found.checks_a_month:,.0f} checks "
        f"and {assumed.requests:,} requests"
    )
    guessed = [name for name, each in document["prices"].items() if each["source"] == "memory"]
    return [
        head,
        table(["", "how much", "at", "costs"], rows),
        Text(month, style="bold"),
        Text(f"Assumed: {_assumed(assumed)}. See `tidegate cost --help` to change them.", style="dim"),
        *(Text(f"{note[:1].upper()}{note[1:]}.") for note in document["notes"]),
        Text(f"Not counted: {NOT_COUNTED}.", style="dim"),
        Text(
            "Lines below half a percent are left out; --json has them, and each price's source.", style="dim"
        ),
        *(
            [Text(f"Prices {known['sources']['memory']['says']}: {', '.join(guessed)}.", style="dim")]
            * bool(guessed)
        ),
    ]


def _assumed(assumed: Assumptions) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value:,}".removesuffix(".0") for name, value in asdict(assumed).items()
    )


def dollars(amount: float) -> str:
    """Write dollars so that small amounts show two digits that count.

    >>> dollars(167.9), dollars(0.0288), dollars(0.0000104167)
    ('$167.90', '$0.029', '$0.00001')
    """
    if amount == 0 or amount >= 0.1:
        return f"${amount:,.2f}"
    shown = f"{amount:.2g}"
    return "$" + (f"{float(shown):.12f}".rstrip("0") if "e" in shown else shown)
