"""The archive works as the scikit-learn container uses it, without Tidegate installed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import types

import pytest

from tidegate.serving import inference
from tidegate.serving.apply import BadRequest, Recipe
from tidegate.serving.bundle import make_bundle

RECIPE = {
    "version": 1,
    "inputs": ["KM"],
    "columns": [{"name": "KM", "type": "numeric", "impute": 5.0, "indicator": False, "scale": None}],
    "outputs": ["KM"],
}


def test_the_same_recipe_packs_to_the_same_bytes_and_names_nobody():
    packed = make_bundle(RECIPE)
    assert packed == make_bundle(json.loads(json.dumps(RECIPE)))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        code = [f"code/{name}.py" for name in ("inference", "apply", "cells", "texts")]
        assert archive.getnames() == ["recipe.json", *code]
        assert {(m.uid, m.gid, m.uname, m.mtime) for m in archive.getmembers()} == {(0, 0, "", 0)}


def test_the_unpacked_archive_serves_without_tidegate(tmp_path):
    with tarfile.open(fileobj=io.BytesIO(make_bundle(RECIPE))) as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            path = tmp_path / member.name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content.read())
    program = (
        "import sys; sys.path.insert(0, sys.argv[1] + '/code')\n"
        "import inference\n"
        "model = inference.model_fn(sys.argv[1])\n"
        "rows = inference.input_fn('46986\\nNA', 'text/csv')\n"
        "print(inference.output_fn(inference.predict_fn(rows, model), 'application/json'))\n"
        "assert 'tidegate' not in sys.modules and 'numpy' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "('46986.0\\n5.0', 'text/csv')\n"


def refusal():
    return inference.predict_fn(("far", "text/csv"), Recipe(RECIPE))


def test_a_refusal_is_raised_with_its_status(monkeypatch):
    monkeypatch.delitem(sys.modules, "flask", raising=False)
    with pytest.raises(BadRequest, match="record 1, field 'KM'") as caught:
        inference.output_fn(refusal(), "text/csv")
    assert caught.value.http_status == 400


def test_in_a_toolkit_that_runs_on_flask_a_refusal_is_a_response_of_400(monkeypatch):
    """The toolkit turns an exception into a bare 500, and passes a response on as it is."""
    answers = []
    fake = types.ModuleType("flask")
    fake.Response = lambda *args, **kwargs: answers.append((args, kwargs)) or "response"
    monkeypatch.setitem(sys.modules, "flask", fake)
    assert inference.output_fn(refusal(), "text/csv") == "response"
    [(body, how)] = answers
    assert "field 'KM'" in body[0] and how == {"status": 400, "mimetype": "text/plain"}


def test_another_content_type_is_a_415():
    refused = inference.predict_fn(("1", "image/png"), Recipe(RECIPE))
    assert refused.http_status == 415
