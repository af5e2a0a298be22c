"""Records of batch transform: filtered in, joined, filtered out."""

from __future__ import annotations

import json

import pytest

from tidegate.local.sagemaker.jobs.association import Association, BadRecord


def association(content_type: str, **processing: str) -> Association:
    return Association.of(content_type, processing)


def test_a_csv_answer_is_appended_to_the_whole_input_row() -> None:
    joined = association("text/csv", InputFilter="$[1:]", JoinSource="Input")
    records = [b"7,3.5,x", b"8,1,y"]
    sent, kept = zip(*(joined.divide(record) for record in records), strict=True)
    assert sent == (b"3.5,x", b"1,y")
    assert joined.outputs(list(kept), b"0.5\n0.25\n") == [b"7,3.5,x,0.5", b"8,1,y,0.25"]


def test_the_output_filter_sees_the_joined_row() -> None:
    joined = association("text/csv; charset=utf-8", JoinSource="Input", OutputFilter="$[0,2]")
    assert joined.outputs([b"7,x"], b"0.5") == [b"7,0.5"]


def test_quoted_fields_stay_whole() -> None:
    joined = association("text/csv", InputFilter="$[1:]", JoinSource="Input")
    record = b'7,"a, ""b""",1.50'
    sent, kept = joined.divide(record)
    assert sent == b'"a, ""b""",1.50'
    assert joined.outputs([kept], b"2") == [b'7,"a, ""b""",1.50,2']


def test_a_json_answer_joins_under_its_own_name() -> None:
    joined = association(
        "application/jsonlines",
        InputFilter="$.x",
        JoinSource="Input",
        OutputFilter="$['id','SageMakerOutput']",
    )
    record = '{"id": "ü1", "x": [1, 2.50]}'.encode()
    sent, kept = joined.divide(record)
    assert sent == b"[1, 2.50]"
    (output,) = joined.outputs([kept], b'{"score": 0.5}\n')
    assert json.loads(output) == {"id": "ü1", "SageMakerOutput": {"score": 0.5}}


@pytest.mark.parametrize("wanted", ["$['id','SageMakerOutput']", "$['SageMakerOutput','id']", "$"])
@pytest.mark.parametrize(
    "record", ['{"x":1,"id":2}', ' { "x" : {"a": "}"} , "id" : "\\"q\\"" } ', '{"\\u0069d":3,"x":0}']
)
def test_an_answer_is_joined_the_same_whichever_way_the_filters_are_read(record: str, wanted: str) -> None:
    joined = association("application/jsonlines", InputFilter="$.x", JoinSource="Input", OutputFilter=wanted)
    sent, kept = joined.divide(record.encode())
    (output,) = joined.outputs([kept], b"0.5")
    whole = {**json.loads(record), "SageMakerOutput": 0.5}
    assert json.loads(sent) == whole["x"]
    assert json.loads(output) == (whole if wanted == "$" else {"id": whole["id"], "SageMakerOutput": 0.5})


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (b'{"x": 1}', r"OutputFilter .* asks for 'id'"),
        (b'{"id": 1}', r"InputFilter \$\.x asks for 'x'"),
        (b"[1]", "has no members there"),
        (b'{"x": 1, "id": 2', "A record is not JSON"),
        (b'{"x": 1, "id": 2} 3', "A record is not JSON"),
        (b"\xff", "A record is not JSON"),
    ],
)
def test_a_record_that_the_filters_do_not_fit_is_told_in_words(record: bytes, words: str) -> None:
    joined = association(
        "application/jsonlines",
        InputFilter="$.x",
        JoinSource="Input",
        OutputFilter="$['id','SageMakerOutput']",
    )
    with pytest.raises(BadRecord, match=words):
        joined.divide(record)


def test_an_answer_that_is_no_json_is_told_in_words() -> None:
    joined = association(
        "application/jsonlines", JoinSource="Input", OutputFilter="$['id','SageMakerOutput']"
    )
    _, kept = joined.divide(b'{"id": 1}')
    with pytest.raises(BadRecord, match="An answer is not JSON"):
        joined.outputs([kept], b"nan!")


def test_a_json_record_that_is_no_object_joins_beside_its_answer() -> None:
    joined = association("application/json", JoinSource="Input")
    (output,) = joined.outputs([b"[1, 2]"], b"0.5")
    assert json.loads(output) == {"SageMakerInput": [1, 2], "SageMakerOutput": 0.5}


def test_other_numbers_of_answers_than_records_are_an_error() -> None:
    joined = association("text/csv", JoinSource="Input")
    with pytest.raises(BadRecord, match="1 answers for 2 records"):
        joined.outputs([b"1", b"2"], b"0.5")


@pytest.mark.parametrize("record", [b"\xff\xfe", b'1,"open'])
def test_a_record_that_is_no_csv_is_an_error(record: bytes) -> None:
    with pytest.raises(BadRecord, match="line of CSV"):
        association("text/csv", InputFilter="$[0]").divide(record)


def test_a_filter_that_does_not_fit_a_record_names_itself() -> None:
    with pytest.raises(BadRecord, match=r"InputFilter \$\[3\] asks for index 3"):
        association("text/csv", InputFilter="$[3]").divide(b"1,2")
