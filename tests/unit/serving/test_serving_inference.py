"""The container's handlers: what a batch may hold that a request of the moment may not."""

import json

import pytest

from tidegate.serving import inference


@pytest.mark.parametrize("batch", ["true", "True", "TRUE"])
def test_a_batch_may_hold_columns_that_came_after_the_model(tmp_path, monkeypatch, batch):
    recipe = {"version": 1, "inputs": ["KM"], "outputs": ["KM"]}
    recipe["columns"] = [{"name": "KM", "type": "numeric", "impute": 5.0, "indicator": False, "scale": None}]
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    body = '{"KM": 7, "newer": 1}'
    monkeypatch.setenv("SAGEMAKER_BATCH", batch)
    answer = inference.predict_fn((body, "application/jsonlines"), inference.model_fn(str(tmp_path)))
    assert answer == ("7.0", "text/csv")
    monkeypatch.delenv("SAGEMAKER_BATCH")
    refusal = inference.predict_fn((body, "application/jsonlines"), inference.model_fn(str(tmp_path)))
    assert "unknown field 'newer'" in str(refusal)
