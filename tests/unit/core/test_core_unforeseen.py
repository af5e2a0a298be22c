"""An error that nobody foresaw leaves a function without a value of the data, whatever its words were."""

from __future__ import annotations

import ast
import traceback
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.errors import BadDrop
from tidegate.core.messages import explain
from tidegate.core.sentences import of_the_data, say
from tidegate.core.unforeseen import guarded, words_of

ROOT = Path(__file__).parents[3]
FUNCTIONS = sorted((ROOT / "functions").glob("*/app.py"))
CANARY = "Xanthippe"


def raising(error: Exception):
    @guarded
    def handler(event, context):
        try:
            float(CANARY)
        except ValueError:
            raise error  # noqa: B904 # the context is there as well
        return event

    return handler


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"could not convert string to float: '{CANARY}'"),
        KeyError(CANARY),
        UnicodeDecodeError("utf-8", CANARY.encode(), 0, 1, CANARY),
        OSError(5, "Input/output error", CANARY),
        AssertionError(CANARY),
        BadDrop(say("{cell} is no number", cell=of_the_data(CANARY))),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_value_leaves_a_function_by_an_error(error):
    with pytest.raises(Exception) as caught:
        raising(error)({}, None)
    shown = "".join(traceback.format_exception(caught.value))
    assert CANARY not in shown.replace("float(CANARY)", "")
    assert type(caught.value).__name__ == type(error).__name__
    document = f'{{"errorMessage": "{caught.value}", "errorType": "{type(caught.value).__name__}"}}'
    assert CANARY not in str(explain("Error", document))


def test_where_it_arose_is_told():
    with pytest.raises(Exception, match=r"ValueError at core/test_core_unforeseen\.py, line \d+"):
        raising(ValueError(CANARY))({}, None)


def test_what_aws_and_we_say_goes_on_as_it_is():
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "GetObject")
    for error in (denied, BadDrop(say("nothing is there"))):
        with pytest.raises(type(error)) as caught:
            raising(error)({}, None)
        assert caught.value is error


@given(st.text(min_size=3))
def test_of_other_errors_only_kind_and_place_are_told(text):
    assert words_of(RuntimeError(text)) == words_of(RuntimeError("another"))


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.parent.name)
def test_every_function_is_guarded_and_logs_no_traceback(path):
    tree = ast.parse(path.read_text("utf-8"))
    [handler] = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == "handler"]
    assert ast.unparse(handler.decorator_list[0]) == "guarded", "nothing stands around the guard"
    assert not [
        node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "exception"
    ], "a traceback ends with the words of the error"
