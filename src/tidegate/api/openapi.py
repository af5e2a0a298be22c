"""The API's own description, OpenAPI 3.1: made from the models' forms and from what the code answers."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from tidegate.api.exchange import CSV, JSON, MOST_BYTES
from tidegate.api.model import MOST_RECORDS, Model
from tidegate.api.problems import MEDIA_TYPE
from tidegate.api.unseen import MOST_WARNINGS

Schema = dict[str, Any]

VERSION = "1"

# What each status means here; the rest is RFC 9110's.
REFUSALS = {
    400: "The body cannot be read: not JSON, not CSV, not UTF-8",
    403: "The caller did not prove who it is, or may not ask (answered by API Gateway)",
    404: "There is no such model",
    406: "The answer does not come in a type that Accept names",
    409: "The model is declared but nothing serves it yet, or any more",
    413: f"More than {MOST_BYTES:,} bytes",
    415: "The body's type is not read here",
    422: f"Records do not fit the model, each fault told with its place; or are more than {MOST_RECORDS:,}",
    429: "Too many requests at once (answered by API Gateway)",
    500: "Something is wrong inside",
    502: "An endpoint failed",
    503: "An endpoint is being updated or has too much to do: Retry-After says when to ask again. Or the "
    "model's combination rule is not in the stack's layer",
    504: "An endpoint did not answer in time",
}
FROM_THE_GATEWAY = (403, 429)


def document(models: Sequence[Model], auth: str) -> Schema:
    """Write the document.

    Parameters
    ----------
    models : sequence of Model
        Each gets a path of its own, with the schema of its records.
    auth : str
        ``iam`` or ``jwt``.
    """
    paths: dict[str, Any] = {
        "/models": {"get": _list_models()},
        "/models/{model}": {"parameters": [_MODEL], "get": _describe_model()},
        "/openapi.json": {"get": _this_document()},
    }
    schemas: dict[str, Schema] = dict(_SCHEMAS)
    for model in models:
        name = model.spec.name
        schemas[f"record-{name}"] = model.form.schema()
        paths[f"/models/{name}/predictions"] = {"post": _predict(model)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tidegate",
            "version": VERSION,
            "description": "Predictions of this stack's models. A prediction_id is the inference id of the "
            "captured request, a slash, and the record's place in it from 0; ground truth joins by it.",
        },
        "servers": [{"url": "/"}],
        "security": [{"caller": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"caller": _AUTH[auth]},
            "responses": {_response_name(status): _refusal(status) for status in REFUSALS},
        },
    }


def _predict(model: Model) -> Schema:
    name = model.spec.name
    return {
        "operationId": f"predict-{name}",
        "summary": f"Predict {model.spec.target} with the model {name}",
        "requestBody": {
            "required": True,
            "description": f"At most {model.most_records:,} records and {MOST_BYTES:,} bytes, in UTF-8",
            "content": {
                JSON: {"schema": _body(model, {"$ref": f"#/components/schemas/record-{name}"})},
                CSV: {
                    "schema": {
                        "type": "string",
                        "minLength": 1,
                        "description": "Rows with a header that names the fields, in any order; or without "
                        f"one, in this order: {', '.join(model.form.features)}. The type's parameter "
                        "header=present or header=absent settles which it is",
                    }
                },
            },
        },
        "responses": {
            "200": {
                "description": "One prediction a record, in the order of the records",
                "content": {
                    JSON: {"schema": {"$ref": "#/components/schemas/Predictions"}},
                    CSV: {"schema": {"type": "string", "description": _CSV_ANSWER}},
                },
            },
            **_refusals(400, 403, 404, 406, 409, 413, 415, 422, 429, 500, 502, 503, 504),
        },
    }


def _body(model: Model, record: Schema) -> Schema:
    several = {"type": "array", "items": record, "minItems": 1, "maxItems": model.most_records}
    wrapped = {
        "type": "object",
        "properties": {"records": {"anyOf": [several, record]}},
        "required": ["records"],
        "additionalProperties": False,
    }
    return {"anyOf": [record, several, *([] if "records" in model.form.known else [wrapped])]}


def _list_models() -> Schema:
    return {
        "operationId": "list-models",
        "summary": "List the models",
        "responses": {"200": _answer("The models, by name", "Models"), **_refusals(403, 406, 429, 500)},
    }


def _describe_model() -> Schema:
    return {
        "operationId": "describe-model",
        "summary": "Tell a model's fields, algorithms, versions, metrics and state",
        "responses": {"200": _answer("The model", "Model"), **_refusals(403, 404, 406, 429, 500)},
    }


def _this_document() -> Schema:
    return {
        "operationId": "describe-api",
        "summary": "Give this document",
        "responses": {
            "200": {"description": "OpenAPI 3.1", "content": {JSON: {"schema": {"type": "object"}}}},
            **_refusals(403, 406, 429, 500),
        },
    }


def _answer(description: str, schema: str) -> Schema:
    content = {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _refusals(*statuses: int) -> Schema:
    return {str(status): {"$ref": f"#/components/responses/{_response_name(status)}"} for status in statuses}


def _response_name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "").replace("-", "")


def _refusal(status: int) -> Schema:
    if status in FROM_THE_GATEWAY:
        schema, kind = {"type": "object", "properties": {"message": _TEXT}}, JSON
    else:
        schema, kind = {"$ref": "#/components/schemas/Problem"}, MEDIA_TYPE
    found: Schema = {"description": REFUSALS[status], "content": {kind: {"schema": schema}}}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        found["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    return found


_CSV_ANSWER = (
    "A row a record: prediction_id, the id where a record has one, prediction, a column an algorithm, and "
    "unseen: the fields whose value the model never learned"
)
_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_BY_ALGORITHM: Schema = {"type": "object", "additionalProperties": _NUMBER}
_TEXT_BY_ALGORITHM: Schema = {"type": "object", "additionalProperties": _TEXT}
_MODEL: Schema = {
    "name": "model",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 28},
}
_AUTH: dict[str, Schema] = {
    "iam": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "AWS Signature Version 4 for the service execute-api",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
    "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}


def _object(required: Schema, **optional: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


_SCHEMAS: dict[str, Schema] = {
    "Predictions": _object(
        {
            "model": _TEXT,
            "combine": {**_TEXT, "description": "How the algorithms' predictions became one"},
            "versions": _TEXT_BY_ALGORITHM,
            "predictions": {
                "type": "array",
                "items": _object(
                    {"prediction_id": _TEXT, "prediction": _NUMBER, "by_algorithm": _BY_ALGORITHM},
                    id={"description": "What the record calls itself, where a record did"},
                ),
            },
        },
        failed={
            **_TEXT_BY_ALGORITHM,
            "description": "The algorithms that did not answer, and why; the others are combined",
        },
        warnings={
            "type": "array",
            "maxItems": MOST_WARNINGS,
            "description": "What the caller should know of its records: values that the model never learned",
            "items": _object(
                {
                    "record": {"type": "integer", "minimum": 1, "description": "Counted from 1"},
                    "field": _TEXT,
                    "value": {"description": "The value as it was sent"},
                    "problem": _TEXT,
                }
            ),
        },
        warnings_left_out={
            "type": "integer",
            "minimum": 1,
            "description": f"How many there were beyond the {MOST_WARNINGS} that are listed",
        },
    ),
    "Models": _object(
        {
            "models": {
                "type": "array",
                "items": _object(
                    {
                        "name": _TEXT,
                        "target": _TEXT,
                        "state": {"enum": ["serving", "partly serving", "not deployed"]},
                        "algorithms": {"type": "array", "items": _TEXT},
                        "versions": _TEXT_BY_ALGORITHM,
                    }
                ),
            }
        }
    ),
    "Model": _object(
        {
            "name": _TEXT,
            "target": _TEXT,
            "state": {"enum": ["serving", "partly serving", "not deployed", "updating"]},
            "id": {"type": ["string", "null"]},
            "combine": _TEXT,
            "on_failure": {"enum": ["fail", "others"]},
            "versions": _TEXT_BY_ALGORITHM,
            "algorithms": {
                "type": "object",
                "additionalProperties": _object(
                    {"state": _TEXT}, version=_TEXT, run=_TEXT, metrics=_BY_ALGORITHM, reason=_TEXT
                ),
            },
            "record": {"type": "object", "description": "The JSON Schema of a record"},
        }
    ),
    "Problem": _object(
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": {**_TEXT, "description": "What was wrong and how to mend it"},
            "request_id": _TEXT,
        },
        errors={
            "type": "array",
            "items": _object(
                {"problem": _TEXT},
                record={"type": "integer", "minimum": 1, "description": "Which record, counted from 1"},
                field=_TEXT,
            ),
        },
    ),
}
