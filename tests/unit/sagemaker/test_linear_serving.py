"""Requests and answers of a Linear Learner endpoint, without the server around them."""

import json

import numpy as np
import pytest

from tidegate.local.sagemaker.images.linear_learner.artifact import LinearModel, ModelUnreadable
from tidegate.local.sagemaker.images.linear_learner.serving import Server
from tidegate.local.sagemaker.images.recordio import (
    Tensor,
    read_records,
    write_frame,
    write_record,
)
from tidegate.local.sagemaker.images.server import Refused

REGRESSOR = LinearModel("regressor", np.array([[2.0], [0.5]]), np.array([1.0]))
BINARY = LinearModel("binary_classifier", np.array([[1.0], [0.0]]), np.array([0.0]), threshold=0.7)
MULTICLASS = LinearModel("multiclass_classifier", np.eye(2, 3), np.zeros(3))
ROWS = [[1.0, 4.0], [0.25, 0.0]]  # the regressor's scores: 5, 1.5


def answer(model, body, content_type="text/csv", accept=""):
    return Server(model).answer(body if isinstance(body, bytes) else body.encode(), content_type, accept)


def sparse_json():
    one = {"data": {"features": {"keys": [0, 1], "values": [1, 4.0], "shape": [2]}}}
    two = {"data": {"features": {"keys": [0], "values": [0.25], "shape": [2]}}}
    return json.dumps({"instances": [one, two]})


def recordio(rows):
    return b"".join(write_frame(write_record({"values": np.array(row)}, {})) for row in rows)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/csv", "1,4\n0.25,0\n"),
        ("text/csv; charset=utf-8", "1.0, 4e0\r\n0.25,0"),
        ("", "1,4\n0.25,0"),
        ("application/json", '{"instances": [{"features": [1, 4]}, {"features": [0.25, 0]}]}'),
        (
            "application/json",
            '{"instances": [{"data": {"features": {"values": [1, 4]}}}, {"features": [0.25, 0]}]}',
        ),
        ("application/json", sparse_json()),
        ("application/jsonlines", '{"features": [1, 4]}\n{"features": [0.25, 0]}\n'),
        ("application/x-recordio-protobuf", recordio(ROWS)),
    ],
)
def test_every_request_format_gives_the_same_scores(content_type, body):
    said = answer(REGRESSOR, body, content_type)
    assert said.content_type == "application/json"
    assert json.loads(said.body) == {"predictions": [{"score": 5.0}, {"score": 1.5}]}


def test_a_sparse_recordio_request_fills_with_zeros():
    tensor = Tensor(np.array([4.0]), np.array([1]), 2)
    said = answer(
        REGRESSOR, write_frame(write_record({"values": tensor}, {})), "application/x-recordio-protobuf"
    )
    assert json.loads(said.body) == {"predictions": [{"score": 3.0}]}


def test_jsonlines_answers_have_one_object_a_line():
    said = answer(REGRESSOR, "1,4\n0.25,0\n", accept="application/jsonlines")
    assert said.body == b'{"score": 5.0}\n{"score": 1.5}\n'


def test_csv_answers_have_one_score_a_line():
    assert answer(REGRESSOR, "1,4\n0.25,0\n", accept="text/csv").body == b"5.0\n1.5\n"


def test_recordio_answers_carry_score_and_label_as_float32():
    said = answer(BINARY, "3,0\n", accept="application/x-recordio-protobuf")
    (record,) = read_records(said.body)
    assert record.label["score"].values[0] == np.float32(1 / (1 + np.exp(-3.0)))
    assert record.label["predicted_label"].values.tolist() == [1.0]


def test_a_binary_classifier_says_1_from_its_own_threshold():
    said = json.loads(answer(BINARY, "0.5,0\n1.5,0\n").body)["predictions"]
    assert [one["predicted_label"] for one in said] == [0, 1]
    assert said[0]["score"] == pytest.approx(0.6224593)


def test_a_multiclass_classifier_gives_a_probability_for_each_class():
    (said,) = json.loads(answer(MULTICLASS, "0,2\n").body)["predictions"]
    assert said["predicted_label"] == 1
    assert sum(said["score"]) == pytest.approx(1.0)
    assert np.argmax(said["score"]) == 1


def test_the_default_answer_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/jsonlines")
    assert answer(REGRESSOR, "1,4", accept="*/*").content_type == "application/jsonlines"


def test_the_first_accepted_format_that_can_be_written_is_used():
    assert answer(REGRESSOR, "1,4", accept="text/html, text/csv;q=0.9").content_type == "text/csv"


@pytest.mark.parametrize(
    ("status", "body", "content_type", "accept", "told"),
    [
        (415, "1,4", "text/libsvm", "", "text/libsvm is not read"),
        (406, "1,4", "text/csv", "image/png", "image/png cannot be answered"),
        (400, "", "text/csv", "", "no rows"),
        (400, "1,4\n1,4,5", "text/csv", "", "Row 2 has 3 features; the model was trained on 2"),
        (400, "1,4\n1,x", "text/csv", "", "Row 2, feature 2 is 'x', which is not a number"),
        (400, "1,", "text/csv", "", "Row 1, feature 2 is empty"),
        (400, "1\n2,3,4", "text/csv", "", "Row 1 has 1 features"),
        (400, "1,nan", "text/csv", "", "Row 1, feature 2 is nan"),
        (400, b"1,\xff", "text/csv", "", "not UTF-8"),
        (400, "{", "application/json", "", "not valid JSON"),
        (400, "[1, 2]", "application/json", "", '"instances"'),
        (400, '{"instances": [{"features": [1]}]}', "application/json", "", "Row 1 has 1 features"),
        (400, '{"instances": [{"features": [1, null]}]}', "application/json", "", "feature 2 is null"),
        (400, '{"instances": [{"features": [1, true]}]}', "application/json", "", "feature 2 is true"),
        (400, '{"instances": [{"feature": [1, 2]}]}', "application/json", "", "has no features"),
        (400, '{"instances": [{"features": [1, 1' + "0" * 400 + "]}]}", "application/json", "", "too large"),
        (400, sparse_json().replace("[0]", "[7]"), "application/json", "", "key 7; keys go from 0 to 1"),
        (400, '{"features": [1, 2]}\n{"features"', "application/jsonlines", "", "Line 2 is not valid JSON"),
        (400, "rubbish!", "application/x-recordio-protobuf", "", "not RecordIO"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_in_words(status, body, content_type, accept, told):
    with pytest.raises(Refused) as caught:
        answer(REGRESSOR, body, content_type, accept)
    assert caught.value.status == status
    assert told in str(caught.value)


def test_a_saved_model_scores_as_before(tmp_path):
    MULTICLASS.save(tmp_path)
    again = LinearModel.load(tmp_path)
    rows = np.array(ROWS)
    assert again.predictor_type == "multiclass_classifier"
    assert again.scores(rows).tolist() == MULTICLASS.scores(rows).tolist()


def test_a_folder_without_a_model_of_ours_is_told(tmp_path):
    with pytest.raises(ModelUnreadable, match=r"has no model\.json"):
        LinearModel.load(tmp_path)


def test_a_pickle_is_never_loaded(tmp_path):
    REGRESSOR.save(tmp_path)
    np.save(tmp_path / "weights.npy", np.array([{"x": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ModelUnreadable, match="damaged"):
        LinearModel.load(tmp_path)
