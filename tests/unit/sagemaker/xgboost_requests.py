"""Requests to the XGBoost image's model server; what AWS's own container answers to each is recorded beside.

`golden/xgboost_container.json` holds the answers of the container's public source (repository
aws/sagemaker-xgboost-container, version 3.0-5) to these requests, asked of the models that `boosters` makes.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass, field
from typing import Any

MODELS = ("regression", "binary", "classes")


@dataclass(frozen=True)
class Asked:
    """One request: to which model, under which variables of the container."""

    name: str
    body: bytes
    content_type: str | None = "text/csv"
    accept: str | None = None
    model: str = "regression"
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Which function of the container's source decides the answer."""
        return SOURCES[self.name.partition(":")[0]]


# Under src/sagemaker_xgboost_container of aws/sagemaker-xgboost-container.
SOURCES = {
    "csv": "encoder.py, csv_to_dmatrix",
    "content type": "data_utils.py, get_content_type",
    "libsvm": "algorithm_mode/serve_utils.py, _get_sparse_matrix_from_libsvm",
    "recordio": "recordio_protobuf.py, read_recordio_protobuf",
    "accept": "algorithm_mode/serve.py, _parse_accept and invocations",
    "selected": "algorithm_mode/serve_utils.py, encode_selected_predictions",
    "size": "algorithm_mode/serve.py, PARSED_MAX_CONTENT_LENGTH and invocations",
    "first fault": "algorithm_mode/serve.py, invocations",
}


def boosters(xgboost: Any, numpy: Any) -> dict[str, Any]:
    """Train the three models: of three columns of 0 and 1, with answers that any processor gives alike."""
    rows = numpy.array(list(itertools.product((0.0, 1.0), repeat=3)) * 4)
    number = rows @ [4.0, 2.0, 1.0]
    exact = {"eta": 1, "lambda": 0, "min_child_weight": 0, "max_depth": 3, "nthread": 1}
    wanted = {
        "regression": (number, {"objective": "reg:squarederror", "base_score": 0}),
        "binary": ((number > 3) * 1.0, {"objective": "binary:logistic", "base_score": 0.5, "eta": 0.25}),
        "classes": (
            numpy.minimum(number // 2, 2),
            {"objective": "multi:softprob", "num_class": 3, "eta": 0.5},
        ),
    }
    return {
        name: xgboost.train({**exact, **settings}, xgboost.DMatrix(rows, label=label), 1)
        for name, (label, settings) in wanted.items()
    }


def _varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def record(
    values: list[float], keys: list[int] | None = None, width: int | None = None, tensor: int = 2
) -> bytes:
    """Encode one record of RecordIO-protobuf; `tensor` 2 is float32, 3 is float64."""
    inner = _field(1, struct.pack(f"<{len(values)}{'f' if tensor == 2 else 'd'}", *values)) if values else b""
    if keys is not None:
        inner += _field(2, b"".join(map(_varint, keys)))
    if width is not None:
        inner += _field(3, _varint(width))
    entry = _field(1, b"values") + _field(2, _field(tensor, inner))
    packed = _field(1, entry)
    return struct.pack("<II", 0xCED7230A, len(packed)) + packed + b"\0" * (-len(packed) % 4)


ROWS = b"1,0,1\n0,1,0\n"
TWO = record([1, 0, 1]) + record([0, 1, 0])
RECORDIO = "application/x-recordio-protobuf"
LINES = "application/jsonlines"
EVERY_KEY = "predicted_label,labels,probability,probabilities,raw_score,raw_scores,predicted_score"
BATCH = {"SAGEMAKER_BATCH": "true"}


def _csv() -> list[Asked]:
    bodies = {
        "two rows": ROWS,
        "one row": b"1,0,1",
        "a carriage return ends each line": b"1,0,1\r\n0,1,0\r\n",
        "a carriage return after an empty cell": b"1,0,\r\n0,1,0\r\n",
        "a carriage return after the last empty cell": b"1,0,1\r\n0,1,\r\n",
        "a carriage return alone ends lines": b"1,0,1\r0,1,0\r",
        "a carriage return after a blank line": b"1,0,1\r\n\r\n0,1,0\r\n",
        "one column": b"1\n0\n",
        "one column of longer numbers": b"1.5\n-0.25\n11\n",
        "one column and bars": b"11|2\n",
        "a decimal point alone": b".\n",
        "quotes of one kind": b"'1',0,1\n",
        "blank lines at both ends": b"\n\n1,0,1\n0,1,0\n\n",
        "a blank line between rows": b"1,0,1\n\n0,1,0",
        "a line of blanks between rows": b"1,0,1\n   \n0,1,0",
        "nothing but line ends": b"\n\n",
        "a blank": b" ",
        "one column too few": b"1,0\n0,1\n",
        "two columns too few": b"1\n0\n",
        "one column too many": b"1,0,1,1\n",
        "rows of different widths": b"1,0,1\n0,1\n",
        "an empty cell": b"1,,1\n",
        "empty cells alone": b",,\n",
        "the last cell empty": b"1,0,\n",
        "a blank cell": b"1, ,1\n",
        "blanks around numbers": b" 1 , 0 , 1 \n",
        "nan in words": b"nan,NaN,NAN\n",
        "a signed nan": b"-nan,+nan,1\n",
        "NA": b"1,NA,1\n",
        "null": b"1,null,1\n",
        "None": b"1,None,1\n",
        "a question mark": b"1,?,1\n",
        "infinity": b"inf,0,1\n",
        "minus infinity": b"-Infinity,0,1\n",
        "beyond a double": b"1e400,0,1\n",
        "beyond a float": b"1e300,0,1\n",
        "a word": b"1,red,1\n",
        "a header": b"a,b,c\n1,0,1\n",
        "quoted numbers": b'"1","0","1"\n',
        "a number with underscores": b"1_0,0,1\n",
        "hexadecimal": b"0x1,0,1\n",
        "other scripts' digits": "١,0,1\n".encode(),
        "booleans": b"true,false,true\n",
        "exponents": b"1e0,0E5,1.0e+0\n",
        "a byte order mark": b"\xef\xbb\xbf1,0,1\n",
        "no UTF-8": b"\xff\xfe1,0,1\n",
        "semicolons": b"1;0;1\n0;1;0\n",
        "tabs": b"1\t0\t1\n0\t1\t0\n",
        "blanks for commas": b"1 0 1\n0 1 0\n",
        "bars": b"1|0|1\n",
        "colons": b"1:0:1\n",
        "decimal commas": b"1,5;0,5;1,5\n",
        "a delimiter of letters": b"1x0x1\n",
        "zero bytes": b"1,\x000,1\n",
        "a comma at each end": b"1,0,1,\n0,1,0,\n",
        "the separator of another row": b"1,0,1\n0;1;0\n",
        "a thousand rows": ROWS * 500,
    }
    return [Asked(f"csv: {name}", body) for name, body in bodies.items()]


def _types() -> list[Asked]:
    types = {
        "csv": "csv",
        "charset": "text/csv; charset=utf-8",
        "upper case": "TEXT/CSV",
        "label_size 1": "text/csv; label_size=1",
        "label_size 0": "text/csv; label_size=0",
        "json": "application/json",
        "plain text": "text/plain",
        "octets": "application/octet-stream",
        "parquet": "application/x-parquet",
        "form": "application/x-www-form-urlencoded",
        "rubbish": "///",
    }
    return [Asked(f"content type: {name}", ROWS, kind) for name, kind in types.items()] + [
        Asked("content type: none, rows in libsvm", b"0:1 1:0 2:1\n", None),
        Asked("content type: none, rows in csv", ROWS, None),
    ]


def _sparse() -> list[Asked]:
    bodies = {
        "all columns": b"0:1 1:0 2:1\n0:0 1:1 2:0\n",
        "with labels": b"5 0:1 1:0 2:1\n5 0:0 1:1 2:0\n",
        "columns left out": b"0:1 2:1\n1:1 2:0\n",
        "the last column left out": b"0:1\n0:0\n",
        "the last row left empty": b"0:1 2:1\n5\n",
        "a row between left empty": b"0:1 2:1\n5\n0:0 2:0\n",
        "a label alone": b"5\n",
        "counted from one": b"1:1 2:0 3:1\n",
        "a column twice": b"0:1 0:1 2:1\n",
        "tabs for blanks": b"0:1\t1:0\t2:1\n",
        "a carriage return": b"0:1 1:0 2:1\r\n0:0 1:1 2:0\r\n",
        "a word for a value": b"0:one 1:0 2:1\n",
        "a word for a column": b"a:1 1:0 2:1\n",
        "a column below nought": b"-1:1 1:0 2:1\n",
        "a value of two parts": b"0:1:5 1:0 2:1\n",
        "a query": b"5 qid:1 0:1 1:0 2:1\n",
        "a comment": b"0:1 1:0 2:1 # said\n",
        "an explicit nan": b"0:nan 1:0 2:1\n",
        "rubbish": b"what is this\n",
        "a column beyond a 32-bit number": b"0:1 4294967296:1\n",
    }
    asked = [Asked(f"libsvm: {name}", body, "text/libsvm") for name, body in bodies.items()]
    asked.append(Asked("libsvm: its other type", b"0:1 1:0 2:1", "text/x-libsvm"))
    records = {
        "dense": TWO,
        "doubles": record([1, 0, 1], tensor=3),
        "sparse": record([1, 1], [0, 2], 3),
        "sparse without a width": record([1, 1], [0, 2]),
        "sparse, narrower than the model": record([1], [0], 2),
        "one column too few": record([1, 0]),
        "one column too many": record([1, 0, 1, 1]),
        "rows of different widths": record([1, 0, 1]) + record([1, 0]),
        "half a record": TWO[:-6],
        "no record": b"not a record at all",
        "three bytes": b"abc",
        "nan": record([float("nan"), 0, 1]),
    }
    return asked + [Asked(f"recordio: {name}", body, RECORDIO) for name, body in records.items()]


def _answers() -> list[Asked]:
    accepts = {
        "none": None,
        "anything": "*/*",
        "csv": "text/csv",
        "csv with a charset": "text/csv; charset=utf-8",
        "upper case": "Application/JSON",
        "json": "application/json",
        "json lines": LINES,
        "json-lines": "application/json-lines",
        "recordio": RECORDIO,
        "npy": "application/x-npy",
        "a picture": "image/png",
        "several": "application/json, text/csv",
        "csv in short": "csv",
        "any text": "text/*",
    }
    models: list[Asked] = []
    for batch, model in itertools.product(({}, BATCH), MODELS):
        models += [
            Asked(
                f"accept: {name}, {model}{', batch' * bool(batch)}",
                ROWS,
                accept=accept,
                model=model,
                environment=batch,
            )
            for name, accept in accepts.items()
        ]
    defaults = [
        Asked(
            f"accept: {name}, {accept} by the model",
            ROWS,
            accept=name,
            environment={"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": accept},
        )
        for name in (None, "*/*", "text/csv")
        for accept in ("application/json", LINES, "image/png", "text/csv; charset=utf-8")
    ]
    return models + defaults


def _selected() -> list[Asked]:
    asked = []
    for model, accept, batch in itertools.product(
        MODELS, ("text/csv", "application/json", LINES, RECORDIO), ({}, BATCH)
    ):
        for keys in ("predicted_label, Probabilities", EVERY_KEY, "what"):
            environment = {"SAGEMAKER_INFERENCE_OUTPUT": keys, **batch}
            name = f"selected: {keys}, {model}, {accept}{', batch' * bool(batch)}"
            asked.append(Asked(name, ROWS, accept=accept, model=model, environment=environment))
    asked.append(Asked("selected: nothing", ROWS, environment={"SAGEMAKER_INFERENCE_OUTPUT": ""}))
    asked.append(
        Asked(
            "selected: an unknown accept",
            ROWS,
            accept="image/png",
            environment={"SAGEMAKER_INFERENCE_OUTPUT": "labels"},
        )
    )
    asked.append(
        Asked(
            "selected: the model's own default",
            ROWS,
            environment={
                "SAGEMAKER_INFERENCE_OUTPUT": "predicted_score",
                "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/x-npy",
            },
        )
    )
    return asked


def _sizes() -> list[Asked]:
    return [
        Asked("size: nothing", b""),
        Asked("size: nothing, of no type", b"", None),
        Asked("size: nothing, of a wrong type", b"", "application/json"),
        Asked("size: nothing, in batch", b"", environment=BATCH),
        Asked("size: 6 MiB", b"1,0,1\n" * (6 * 1024**2 // 6)),
        Asked("size: a byte beyond 6 MiB", b"1,0,1\n" * (6 * 1024**2 // 6) + b"\n"),
        Asked("size: beyond a bound of its own", ROWS, environment={"MAX_CONTENT_LENGTH": "11"}),
        Asked("size: at a bound of its own", ROWS, environment={"MAX_CONTENT_LENGTH": "12"}),
        Asked(
            "size: 7 MiB under a bound of 20",
            b"1,0,1\n" * (7 * 1024**2 // 6),
            environment={"MAX_CONTENT_LENGTH": "20971520"},
        ),
        Asked("first fault: body and accept", b"1,red,1", accept="image/png"),
        Asked("first fault: columns and accept", b"1,0,1,0", accept="image/png"),
        Asked("first fault: type and accept", ROWS, "application/json", accept="image/png"),
    ]


ASKED = [*_csv(), *_types(), *_sparse(), *_answers(), *_selected(), *_sizes()]
