"""Keys of the data bucket: which are drops of which model, and which only look like one."""

from __future__ import annotations

# Each with the model it is a training drop of; None where it is none.
TRAINING: dict[str, str | None] = {
    "cars/train/a.csv": "cars",
    "cars/train/deeper/a.csv": "cars",
    "cars/train/../../vans/train/a.csv": "cars",
    "cars/train/..": "cars",
    "cars/train/a.csv\n": "cars",
    "cars/train/=cmd|'C'!A0.csv": "cars",
    "cars/train/%2e%2e%2f": "cars",
    "cars/train/\u202egnp.csv": "cars",
    "cars/train/" + "x" * 900: "cars",
    "cars/train/" + "x" * 1009 + ".csv": "cars",
    "cars/train/" + "é" * 504 + ".csv": "cars",
    "cars/train/" + "漢" * 336 + ".csv": "cars",
    "cars/train/" + "d/" * 500 + "a.csv": "cars",
    "cars/train/." + "y" * 1010: "cars",
    "cars/train/{% $states.input %}": "cars",
    "cars/train/' OR '1'='1": "cars",
    "../train/a.csv": "..",
    "/train/a.csv": "",
    "cars/train/": None,
    "cars/train": None,
    "cars//train/a.csv": None,
    "cars/training/a.csv": None,
    "cars/Train/a.csv": None,
    "cars/score/train/a.csv": None,
    "train/a.csv": None,
    "train/": None,
    "quarantine/cars/0123456789ab/a.csv": None,
    "": None,
}
MODEL_FILES: dict[str, bool] = {
    "cars/model.yaml": True,
    "cars/train/model.yaml": False,
    "model.yaml": False,
    "cars/x/model.yaml": False,
    "quarantine/cars/0123456789ab/model.yaml": False,
    "cars/model.yaml/model.yaml": False,
}
