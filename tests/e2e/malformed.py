"""Some three hundred request bodies that no API should take: (what is wrong, the body, its type)."""

from __future__ import annotations

import json
import random

JSON, CSV = "application/json", "text/csv"
GOOD = {"km": 90000, "year": 2015, "make": "volvo", "automatic": "no"}
Body = tuple[str, bytes, str]


def _truncated() -> list[Body]:
    whole = json.dumps([GOOD, GOOD]).encode()
    return [(f"JSON cut at {at}", whole[:at], JSON) for at in range(1, len(whole) - 1)][:100]


def _wrong_values() -> list[Body]:
    words = {
        "km": [
            '"9"',
            '""',
            "true",
            "[]",
            "{}",
            "[1]",
            "1e999",
            "-1e999",
            "9" * 400,
            "NaN",
            "Infinity",
            "1e31",
        ],
        "year": ['"2015"', "2015.5", "false", "[2015]", "1e400", "NaN", "-Infinity", '"NaN"', "1e30000"],
        "make": ["[]", "{}", '["volvo"]', '"a\\u0000"', '"\\ud800"', json.dumps("x" * 1001), "1e999", "NaN"],
        "automatic": ['"maybe"', "2", "-1", "0.5", "[]", "{}", '"YES!"', '""', '"null"'],
        "listing": ["[]", "{}", "true", "1.5", '"\\udfff"', json.dumps("x" * 1001), "1e999"],
        "price": ["1", "null", '"x"'],
        "Km": ["1"],
        "": ["1"],
        "km ": ["1"],
    }
    return [
        (f"{name} is {word[:20]}", f'{{"year": 2000, "{name}": {word}}}'.encode(), JSON)
        for name, several in words.items()
        for word in several
    ]


def _wrong_shapes() -> list[Body]:
    texts = [
        "", " ", "null", "true", "0", '"x"', "[]", "[[]]", "[null]", "[1]", "{}", "[{}]", "[[1,2,3,4]]",
        '{"records": null}', '{"records": []}', '{"records": {}}', '{"records": [1]}', '{"records": [], "a": 1}',
        '{"instances": [{"km": 1}]}', "{'km': 1}", "{km: 1}", '{"km": 1,}', '{"km" 1}', "km=1", "<km>1</km>",
        '{"km": 1} {"km": 2}', "[" * 50_000, '{"a":' * 50_000, "]", '{"km": 01}', '{"km": .5}', '{"km": 0x10}',
    ]  # fmt: skip
    return [(f"JSON {text[:20]!r}", text.encode(), JSON) for text in texts]


def _encodings() -> list[Body]:
    text = json.dumps({**GOOD, "make": "škoda"}, ensure_ascii=False)
    found = [(f"in {each}", text.encode(each), JSON) for each in ("utf-16", "utf-16-le", "utf-32", "cp1250")]
    found += [("bytes", bytes([byte]) * 20, JSON) for byte in (0, 7, 128, 192, 255)]
    found += [
        (f"called {kind}", json.dumps(GOOD).encode(), kind)
        for kind in (
            "application/xml", "text/plain", "application/octet-stream", "application/jsonlines", "json", ";",
            "application/json; charset=utf-16", "text/csv; charset=latin-1", "multipart/form-data; boundary=x",
        )
    ]  # fmt: skip
    return found


def _csv() -> list[Body]:
    texts = [
        "", "\n", "km\n", "km,year,make,automatic\n", "1\n", "1,2,3\n", "1,2,3,4,5\n", "a,2015,volvo,no\n",
        "1,2015.5,volvo,no\n", "1,2015,volvo,perhaps\n", "1,x,volvo,no\n", "km,km\n1,2\n", "km,price\n1,2\n",
        "km,colour\n1,red\n", "km,year\n1\n", "km,year\n1,2,3\n", '"1,2015,volvo,no\n',
        "1e999,2015,volvo,no\n", "inf,2015,volvo,no\n", "1;2015;volvo;no\n", "1\t2015\tvolvo\tno\n",
        "1,2015,vol\0vo,no\n", "1,2015," + "x" * 200_000 + ",no\n", "\u0661,2015,volvo,no\n", "1_000,2015,volvo,no\n",
        "km\n" + "1\n" * 1001, "km\n1e31\n", "0x10,2015,volvo,no\n",
    ]  # fmt: skip
    return [(f"CSV {text[:20]!r}", text.encode(), CSV) for text in texts]


def _large() -> list[Body]:
    wide = json.dumps({f"c{number}": number for number in range(100_000)}).encode()
    return [
        ("100,000 fields", wide, JSON),
        ("100,000 columns", (",".join(["1"] * 100_000) + "\n").encode(), CSV),
        ("100,000 names", (",".join(f"c{n}" for n in range(100_000)) + "\n1\n").encode(), CSV),
        ("100,000 times one name", (",".join(["km"] * 100_000) + "\n1\n").encode(), CSV),
        ("1,001 records", json.dumps([GOOD] * 1001).encode(), JSON),
        ("10 MB of JSON", json.dumps([GOOD] * 140_000).encode(), JSON),
        ("10 MB of CSV", b"1,2015,volvo,no\n" * 650_000, CSV),
        ("10 MB of nothing", b" " * 10_000_000, JSON),
        ("5 MB in one text", json.dumps({"make": "x" * 5_000_000}).encode(), JSON),
    ]


def _noise() -> list[Body]:
    dice = random.Random(3)
    whole = json.dumps([GOOD]).encode()
    found = []
    while len(found) < 80:
        # A byte that UTF-8 never holds, somewhere: refused wherever it stands.
        at = dice.randrange(len(whole))
        found.append(
            (f"noise at {at}", whole[:at] + bytes([dice.choice((0xC0, 0xF5, 0xFF))]) + whole[at:], JSON)
        )
    return found


BODIES: list[Body] = [
    *_truncated(), *_wrong_values(), *_wrong_shapes(), *_encodings(), *_csv(), *_large(), *_noise(),
]  # fmt: skip
