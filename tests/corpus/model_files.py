"""Model files that must not come into force."""

from __future__ import annotations

GOOD = """\
name: cars
target: price
id: listing
features: {km: numeric, year: integer, make: categorical}
algorithms:
  xgboost: {hyperparameters: {num_round: 30}, instance: ml.m5.large}
gate: {metric: rmse, at_most: 2500}
"""


def with_line(start: str, line: str) -> str:
    """The good file with the line that starts so replaced."""
    lines = [line if each.startswith(start) else each for each in GOOD.splitlines()]
    return "\n".join(lines) + "\n"


BAD_NAMES = [
    "../cars",
    "cars/../vans",
    "/etc/passwd",
    "cars\\vans",
    ".",
    "..",
    "-cars",
    "cars-",
    "cars--vans",
    "Cars",
    "cars_vans",
    "cars vans",
    "9cars",
    "cärs",
    "ＣＡＲＳ",
    "c" * 29,
    "cars\u200b",
    "cars%2e%2e",
    "${jndi:ldap://x}",
    "$(reboot)",
    "cars;rm -rf",
    "'cars'",
    "queue/cars",
    "quarantine",
    "notifications",
    "train",
    "{% $x %}",
]
BILLION_LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
WRONG = {
    "name": ["[]", "{}", "5", "null", "true", "''", "1.5", "2024-01-01"],
    "target": ["[price]", "{}", "5", "null", "''", "km", "listing"],
    "id": ["[1]", "{a: 1}", "7", "km"],
    "features": [
        "[]",
        "{}",
        "numeric",
        "null",
        "[km, year]",
        "{km: number}",
        "{km: [numeric]}",
        "{km: {type: numeric, levels: 5}}",
        "{km: {levels: 5}}",
        "{make: {type: categorical, levels: 0}}",
        "{make: {type: categorical, levels: 1e9}}",
        "{make: {type: categorical, levels: many}}",
        "{price: numeric}",
        "{5: numeric}",
        "{null: numeric}",
        "{km: !!python/object/apply:os.system ['true']}",
    ],
    "gate": [
        "[]",
        "rmse",
        "{metric: accuracy}",
        "{at_most: low}",
        "{at_most: .inf}",
        "{at_most: .nan}",
        "{at_most: [1]}",
        "{metric: r2, at_most: 1}",
        "{at_leest: 1}",
        "{against_champion: maybe}",
    ],
}
ODD_NUMBERS = [".nan", ".inf", "-.inf", ".NaN", "1.0e+400", "-1.0e+400", "1" + "0" * 400, "0x" + "f" * 5000]
# Names of columns, each with what is wrong about it; in double quotes YAML reads the codes.
ODD_TEXTS = {
    "a blank before": '" km"',
    "a blank after": '"km "',
    "a tab after": '"km\\t"',
    "a blank that does not break": '"km\\_"',
    "a byte order mark": '"\\ufeffkm"',
    "a blank of no width": '"km\\u200b"',
    "a tab inside": '"k\\tm"',
    "a line end": '"k\\nm"',
    "a carriage return": '"km\\r"',
    "a NUL": '"k\\0m"',
    "an escape": '"\\e[31mkm"',
    "a bell": '"k\\am"',
    "a C1 control": '"k\\x9bm"',
    "a next line": '"k\\Nm"',
    "a line separator": '"k\\Lm"',
    "a paragraph separator": '"k\\Pm"',
    "half a character": '"k\\ud800m"',
    "blanks alone": '"  "',
}
NUMBERS = "gate: {metric: rmse, at_most: NUMBER}"
CASES: dict[str, bytes] = {
    **{
        f"a bound of {each[:9]}": with_line("gate", NUMBERS.replace("NUMBER", each)).encode()
        for each in ODD_NUMBERS
    },
    "a negative bound": with_line("gate", "gate: {metric: mae, at_most: -1}").encode(),
    "an R2 above one": with_line("gate", "gate: {metric: r2, at_least: 1.5}").encode(),
    "a bound that is true": with_line("gate", "gate: {metric: rmse, at_most: yes}").encode(),
    **{f"a hyperparameter of {each[:9]}": GOOD.replace("30", each).encode() for each in ODD_NUMBERS},
    **{
        f"{where} with {what}": with_line(where, line.replace("TEXT", text)).encode()
        for what, text in ODD_TEXTS.items()
        for where, line in (
            ("target", "target: TEXT"),
            ("id", "id: TEXT"),
            ("features", "features: {year: integer, TEXT: numeric}"),
        )
    },
    **{
        f"a hyperparameter's value with {what}": GOOD.replace("30", text).encode()
        for what, text in ODD_TEXTS.items()
        if "blank" not in what and "mark" not in what and "after" not in what
    },
    "a hyperparameter's name with an escape": GOOD.replace("num_round", '"\\e[2Jnum_round"').encode(),
    "a name twice": GOOD.encode() + b"name: cars\n",
    "a feature twice": with_line(
        "features", "features: {km: numeric, year: integer, km: categorical}"
    ).encode(),
    "a feature twice in two ways": with_line("features", "features: {km: numeric, 'km': numeric}").encode(),
    "an algorithm twice": GOOD.replace("gate:", "  xgboost: {}\ngate:").encode(),
    "a hyperparameter twice": GOOD.replace("30}", "30, num_round: 40}").encode(),
    "a key twice in a list": GOOD.encode() + b"notify: [{a: 1, a: 2}]\n",
    "nothing": b"",
    "a comment": b"# name: cars\n",
    "a list": b"- name: cars\n",
    "a word": b"cars\n",
    "a number": b"5\n",
    "two documents": (GOOD + "---\n" + GOOD).encode(),
    "JSON cut short": b'{"name": "cars"',
    "tabs": GOOD.replace("  ", "\t").encode(),
    "a brace never closed": with_line("features", "features: {km: numeric").encode(),
    "a quote never closed": with_line("target", "target: 'price").encode(),
    "Latin-1": GOOD.replace("price", "prïce").encode("latin-1"),
    "UTF-16": GOOD.encode("utf-16"),
    "NUL bytes": GOOD.replace("cars", "ca\x00rs").encode(),
    "a bell": GOOD.replace("cars", "ca\x07rs").encode(),
    "a billion laughs": BILLION_LAUGHS.encode(),
    "an alias": b"a: &a 1\nb: *a\n",
    "a merge key": GOOD.encode() + b"x: &x {a: 1}\ny:\n  <<: *x\n",
    "brackets a hundred thousand deep": b"[" * 100_000,
    "braces a thousand deep": b"{a: " * 1000 + b"1" + b"}" * 1000,
    "a megabyte": GOOD.encode() + b"# " + b"x" * (1 << 20),
    "a tag of Python": b"!!python/object/apply:os.system ['true']\n",
    "a tag of its own": with_line("name", "name: !secret cars").encode(),
    "binary": with_line("name", "name: !!binary Y2Fycw==").encode(),
    "a set": with_line("features", "features: !!set {km, year}").encode(),
    "a key that is a list": with_line("features", "features: {[km]: numeric}").encode(),
    "a key that is a mapping": with_line("features", "features: {{a: b}: numeric}").encode(),
    "an unknown key": GOOD.encode() + b"algoritms: {}\n",
    "no algorithms": with_line("algorithms", "algorithms:").split("  xgboost")[0].encode(),
    "an unknown algorithm": GOOD.replace("xgboost", "xgbost").encode(),
    "half of a character": GOOD.replace("km:", '"\\ud800":').encode(),
    "half of a character in a name": with_line("name", 'name: "cars\\udfff"').encode(),
    "an instance of no kind": GOOD.replace("ml.m5.large", "m5.large; reboot").encode(),
    "a hyperparameter that is a list": GOOD.replace("30", "[1, 2]").encode(),
    "a date for a number": GOOD.replace("2500", "2024-01-01").encode(),
    "a number that overflows": GOOD.replace("2500", "1" + "0" * 400).encode(),
    "a rule that nobody knows": GOOD.encode() + b"training: {when_busy: hurry}\n",
    "a rule of another kind": GOOD.encode() + b"training: [queue]\n",
    "an address that is none": GOOD.encode() + b"notify: [somebody]\n",
    "an address with a line end": GOOD.encode() + b'notify: ["a@b.c\\nBcc: d@e.f"]\n',
    **{f"the name {name!r}": with_line("name", f"name: {name!r}").encode() for name in BAD_NAMES},
    **{
        f"{key}: {value}": with_line(f"{key}:", f"{key}: {value}").encode()
        for key, values in WRONG.items()
        for value in values
    },
}
