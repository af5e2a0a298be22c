"""Captured requests read all at once, by column: the same as row by row, whatever was sent."""

import base64
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.table.watch import captured
from tidegate.table.watch.rows import Source, read_window

COLUMNS = {"km": "numeric", "year": "integer", "make": "categorical", "automatic": "boolean", "day": "date"}
IDENTITY = "listing"


def line(question: Any, encoding: Any, answer: Any, event: str = "e", **meta: Any) -> str:
    """Write one capture record; a request whose answer is None had none captured."""
    sides = {"endpointInput": {"mode": "INPUT", "data": question, "encoding": encoding}}
    if answer is not None:
        sides["endpointOutput"] = {"mode": "OUTPUT", "data": answer, "encoding": "CSV"}
    return json.dumps({"captureData": sides, "eventMetadata": {"eventId": event, **meta}})


def read(path: Path, out: Path) -> tuple[Any, ...]:
    """Read a window of one object into what can be compared."""
    window = read_window([Source("capture", "key", path)], COLUMNS, "xgboost", IDENTITY, out)
    facts = window.rows, window.first, window.last, window.unreadable
    return pq.read_table(out), window.profile.to_bytes(), *facts


def both_ways(folder: Path, lines: list[str]) -> bool:
    """Read alike both ways; tells whether all of it was read at once."""
    (folder / "capture").write_text("\n".join(lines), encoding="utf-8", newline="")
    by_row: list[Path] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(captured, "LEAST_ROWS", 1)
        real = captured.read_capture
        patch.setattr(
            captured,
            "read_capture",
            lambda path, *names, **more: by_row.append(path) or real(path, *names, **more),
        )
        at_once = read(folder / "capture", folder / "at-once")
        plain = not by_row
        patch.setattr(captured, "_requests", lambda path: None)
        one_by_one = read(folder / "capture", folder / "one-by-one")
    assert at_once[0].equals(one_by_one[0])
    assert at_once[1:] == one_by_one[1:]
    return plain


CSV_CELLS = st.sampled_from(
    ["1", "2.50", " 3 ", "", "NA", "1e3", "yes", "0", "fiat", "2024-01-02", "é", "nan"]
)
ODD_CELLS = st.sampled_from(['"a,b"', '"two\nlines"', 'say ""', "\r", "x\ty", "many", "inf", "1_0", "\x00"])
JSON_VALUES = st.one_of(
    st.sampled_from(
        [1, 2.5, -0.0, 2020, 1e300, 2**60 + 1, True, None, "1", "fiat", "NA", "2024-01-02", "\ud800"]
    ),
    st.sampled_from([[1], {"a": 1}, "", "é\n", "\x00"]),
)
ROWS = st.lists(CSV_CELLS, min_size=5, max_size=5).map(",".join)
ODD_ROWS = st.lists(st.one_of(CSV_CELLS, ODD_CELLS), min_size=4, max_size=6).map(",".join)
RECORDS = st.dictionaries(st.sampled_from([*COLUMNS, IDENTITY, "other", "features"]), JSON_VALUES, max_size=7)
FITTING = st.fixed_dictionaries(
    {},
    optional={
        "km": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9) | st.none(),
        "year": st.integers(-(2**40), 2**40) | st.just(3.0),
        "make": st.sampled_from(["fiat", "saab", " saab ", "NA"]),
        "automatic": st.booleans() | st.none(),
        "day": st.just("2024-01-02T10:00:00Z"),
        IDENTITY: st.sampled_from(["c-1", "c-2"]),
        "other": st.integers(),
    },
)
TRICKS = [
    "[]",
    "{}",
    "",
    "1",
    '[{"km":1}],"x":[1]',
    '[{"km":1}]}\n{"r":[{"km":2}]',
    '[{"km":NaN}]',
    "[null]",
    "[[1,2,3,4,5]]",
]
TRICKS += [
    '{"instances": [{"km": 1}]}',
    '{"km": 1}\n{"km": 2}',
    '[{"features": [1,2,3,4,5]}]',
    '[{"km":1,"km":2}]',
]


def answers_to(rows: int) -> st.SearchStrategy:
    return st.one_of(
        st.just("\n".join(str(at / 3) for at in range(rows)) + "\n"),
        st.sampled_from(["1", "1\n2\n3", "", None, '"1"', "x", "1,2"]),
    )


def csv_requests(rows: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(rows, min_size=1, max_size=3).flatmap(
        lambda found: st.tuples(
            st.sampled_from(["\n".join(found), "\n".join(found) + "\n", "\n\n".join(found)]),
            st.sampled_from(["CSV", "CSV", "csv"]),
            answers_to(len(found)),
        )
    )


def json_requests(records: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(records, min_size=1, max_size=3).flatmap(
        lambda found: st.tuples(st.just(json.dumps(found)), st.just("JSON"), answers_to(len(found)))
    )


STRANGE = st.tuples(
    st.sampled_from([*TRICKS, base64.b64encode(b"1,2,a,no,").decode(), None, 5]),
    st.sampled_from(["JSON", "CSV", "BASE64", None]),
    answers_to(1),
)
EVENTS = st.sampled_from(["e1", "e2", "e3", "\ud800"])


def of(*kinds: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(st.tuples(st.one_of(*kinds), EVENTS), min_size=1, max_size=6)


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(
    st.one_of(
        of(csv_requests(ROWS)),
        of(csv_requests(ROWS), csv_requests(ODD_ROWS)),
        of(json_requests(FITTING)),
        of(json_requests(FITTING), json_requests(RECORDS)),
        of(csv_requests(ROWS), json_requests(FITTING), STRANGE),
    )
)
def test_whatever_was_sent_is_read_alike_all_at_once_and_row_by_row(tmp_path_factory, requests):
    lines = [line(*sent, event=event, inferenceId="ask") for sent, event in requests]
    both_ways(tmp_path_factory.mktemp("capture"), lines)


@pytest.mark.parametrize("trick", TRICKS)
def test_a_request_that_is_json_only_inside_another_text_is_not_taken_for_one(tmp_path, trick):
    fits = [line('[{"km":1},{"km":2}]', "JSON", "1\n2", event=f"e{at}") for at in range(3)]
    assert not both_ways(tmp_path, [*fits, line(trick, "JSON", "1", event="trick")])


@pytest.mark.parametrize("cell", ['"fiat"', '"fi\nat"', "fi\rat", "fiat\r", "fi\0at", "x" * 140_000])
def test_csv_that_is_more_than_it_looks_is_left_to_the_reader_of_csv(tmp_path, cell):
    fits = [line("5,2020,fiat,yes,", "CSV", "1", event=f"e{at}") for at in range(3)]
    assert not both_ways(tmp_path, [*fits, line(f"5,2020,{cell},yes,", "CSV", "1", event="odd")])


@pytest.mark.parametrize(
    ("question", "encoding"),
    [
        ("5,2020,fiat,yes,2024-01-02\n6,,NA,,", "CSV"),
        ("many,2020.5,fiat,perhaps,soon\n6,,NA,,", "CSV"),
        ('[{"km":5,"automatic":true,"listing":"c-1"},{"km":null,"year":3.0,"other":[1]}]', "JSON"),
    ],
)
def test_plain_requests_are_read_all_at_once(tmp_path, question, encoding):
    lines = [line(question, encoding, "1.5\n2.5", event=f"e{at}", inferenceTime="2024") for at in range(3)]
    assert both_ways(tmp_path, lines)
    assert pq.read_table(tmp_path / "at-once").num_rows == 6


def test_half_a_character_is_refused_in_words_and_the_other_objects_are_read(tmp_path):
    (tmp_path / "bad").write_text(line('[{"make":"\\ud800"}]', "JSON", "1"))
    (tmp_path / "good").write_text(line("1,2,a,no,", "CSV", "1"))
    sources = [Source("capture", name, tmp_path / name) for name in ("bad", "good")]
    window = read_window(sources, COLUMNS, "xgboost", IDENTITY, tmp_path / "out")
    assert (window.rows, window.skipped) == (1, 1)
    told = window.unreadable[0].plain
    assert len(window.unreadable) == 1
    assert told.startswith("bad: 1 line was left out: bad, line 1")
    assert "\\ud800, which is half of a character" in told


@pytest.mark.parametrize(
    ("question", "encoding"),
    [
        ('[{"km":1,"make":"\\ud800"}]', "JSON"),
        ('[{"km":1,"make":"\ud800"}]', "JSON"),
        ('[{"km":1,"make":"' + "x" * 140_000 + '"}]', "JSON"),
        ("1,2020," + "x" * 140_000 + ",yes,", "CSV"),
        ('1,2020,"never closed,yes,', "CSV"),
        ("1,2020", "CSV"),
        ("[" * 100_000, "JSON"),
        ("5", "JSON"),
        ("[5]", "JSON"),
        ("", "EBCDIC"),
    ],
    ids=["half escaped", "half", "long JSON", "long CSV", "open", "narrow", "deep", "number", "list", "none"],
)
def test_one_poisoned_request_takes_none_of_those_beside_it_along(tmp_path, question, encoding):
    good = [line("5,2020,fiat,yes,", "CSV", "1", event=f"e{at}") for at in range(30)]
    poisoned = line(question, encoding, "1", event="poison")
    (tmp_path / "object").write_text("\n".join([*good[:15], poisoned, "{", *good[15:]]), "utf-8")
    window = read_window([Source("capture", "key", tmp_path / "object")], COLUMNS, "x", "", tmp_path / "out")
    assert 30 <= window.rows <= 31
    assert window.rows + window.skipped >= 31
    told = window.unreadable[0].plain
    assert len(window.unreadable) == 1
    assert told.startswith("key: ") and "line 1" in told
