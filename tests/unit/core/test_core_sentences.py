"""The one door for what is told: a value of the data shows its shape, unless somebody asks for it by name."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import (
    Sentence,
    joined,
    masked,
    of_the_data,
    plainly,
    say,
    shape,
    shortened,
    told,
)

ROOT = Path(__file__).parents[3]
CODE = [*(ROOT / "src").rglob("*.py"), *(ROOT / "functions").rglob("*.py"), *(ROOT / "glue").rglob("*.py")]
TEXTS = st.text()
PARTS = st.one_of(TEXTS.map(of_the_data), TEXTS.map(told))
SENTENCES = st.lists(PARTS).map(joined)
DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.integers(), TEXTS),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


def letters_and_digits(text: str) -> set[str]:
    return {each for each in text if each.isalnum() and each not in "x9"}


@given(TEXTS)
def test_a_shape_holds_no_letter_and_no_digit_of_the_value(text):
    assert not letters_and_digits(shape(text))
    assert len(shape(text)) == len(text)


@given(TEXTS, TEXTS)
def test_whatever_is_no_type_of_ours_is_taken_for_a_value(value, other):
    sentence = say("{a} and {b:>4} or {a!r}", a=value, b=other)
    assert not letters_and_digits(sentence.masked) - set("andor")


@given(SENTENCES)
def test_a_sentence_written_into_a_text_is_masked(sentence):
    assert f"{sentence}" == str(sentence) == sentence.masked == str(BadDrop(sentence))


@given(SENTENCES)
def test_a_sentence_goes_through_json_with_its_values_marked(sentence):
    document = {"a": [sentence.to_dict()], "b": "as it is"}
    back = json.loads(json.dumps(document))
    assert plainly(back) == {"a": [sentence.plain], "b": "as it is"}
    assert masked(back) == {"a": [sentence.masked], "b": "as it is"}


@pytest.mark.slow
@given(DOCUMENTS)
def test_a_document_without_sentences_is_left_as_it_is(document):
    assert masked(document) == plainly(document) == document


@pytest.mark.slow
@given(DOCUMENTS)
def test_what_is_no_sentence_is_a_value_as_a_whole(document):
    assert not letters_and_digits(Sentence.from_dict(document).masked) or "said" in str(document)


def test_a_bare_text_as_a_refusal_shows_its_shape():
    refusal = BadDrop("Ann is 42")  # type: ignore[arg-type]
    assert (str(refusal), refusal.plain) == ("xxx xx 99", "Ann is 42")


def test_values_stay_values_through_every_step():
    cell = shortened(of_the_data("Ann\nof 42 Elm Street"), 12)
    inner = say("'{cell}'", cell=cell)
    sentence = say("{file}, line {line:,}: {all}", file=told("a.csv"), line=1200, all=joined([inner, inner]))
    assert sentence.plain == "a.csv, line 1,200: 'Ann of 42 El…', 'Ann of 42 El…'"
    assert sentence.masked == "a.csv, line 1,200: 'xxx xx 99 xx?', 'xxx xx 99 xx?'"


def calls(path: Path, *names: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names
    ]


@pytest.mark.slow
@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_words_of_a_sentence_are_written_where_it_is_made(path):
    """A template, and a word that is told, that were put together could hold anything."""
    if path.name == "sentences.py" and path.parent.name == "core":
        return
    for call in calls(path, "say"):
        assert isinstance(call.args[0], ast.Constant), f"line {call.lineno}: {ast.unparse(call)}"
    for call in calls(path, "told", "of_the_data"):
        if call.func.id == "told":  # type: ignore[attr-defined]
            put_together = [each for each in ast.walk(call) if isinstance(each, ast.JoinedStr | ast.BinOp)]
            assert not [each for each in put_together if isinstance(each, ast.JoinedStr)], ast.unparse(call)


# Where a value may be shown: to whoever types a command, beside the file, in the report and its folder.
MAY_READ_THE_DATA = {
    "src/tidegate/core/sentences.py",
    "src/tidegate/core/errors.py",
    "src/tidegate/edge/quarantine.py",
    "src/tidegate/table/score/prepare.py",
    "functions/evaluate_drift/app.py",
}
# Whose messages are those of notifications and model files, in which there is no value.
MESSAGES = {"src/tidegate/core/errors.py", "src/tidegate/edge/tell.py", "src/tidegate/modelfile.py"}


@pytest.mark.slow
@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_those_who_may_read_the_data_are_shown_values(path):
    name = str(path.relative_to(ROOT))
    if name in MAY_READ_THE_DATA or name.startswith("src/tidegate/cli/"):
        return
    tree = ast.parse(path.read_text("utf-8"))
    shown = [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr == "plain")
        or (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "plainly")
    ]
    assert shown == []
    if name not in MESSAGES and not name.startswith("src/tidegate/local/"):
        assert not [
            each for each in ast.walk(tree) if isinstance(each, ast.Attribute) and each.attr == "message"
        ]
