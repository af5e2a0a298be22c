"""The edge where a model's YAML becomes a `ModelSpec`: every complaint gets the line it is about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import yaml

from tidegate.core import linear_hyperparameters, xgboost_hyperparameters
from tidegate.core.checks import nearest, refuse, shown
from tidegate.core.disks import has_own_disks
from tidegate.core.errors import BadSpec
from tidegate.core.grammar import half_in, half_said
from tidegate.core.hyperparameters import BadHyperparameter
from tidegate.core.spec import ModelSpec

MOST_BYTES = 256 * 1024
# A model file is five levels deep; PyYAML's time grows with the square of the depth.
MOST_DEEP = 20
# Whose hyperparameters the images tell apart: how they are read, and which there are.
Read = Callable[[Mapping[str, str]], Any]
Known = Callable[[], Collection[str]]
_TABLES: Mapping[str, tuple[Read, Known]] = {
    "xgboost": (
        xgboost_hyperparameters.read_hyperparameters,
        xgboost_hyperparameters.known_hyperparameters,
    ),
    "linear-learner": (
        linear_hyperparameters.read_hyperparameters,
        lambda: linear_hyperparameters.PARAMETERS,
    ),
}


def read_model_file(text: str | bytes, folder: str | None = None, key: str | None = None) -> ModelSpec:
    """Read a model file.

    Parameters
    ----------
    text : str or bytes
        The YAML; bytes must be UTF-8.
    folder : str, optional
        The folder of the data bucket that the file lies in; the model must have its name.
    key : str, optional
        The KMS key of the stack that the model is for, which also encrypts the disks of its endpoints.

    Raises
    ------
    BadSpec
        With one sentence, the path and the line of what is wrong.
    """
    raw = _decoded(text)
    try:
        _refuse_tricks(raw)
        tree = yaml.compose(raw, Loader=yaml.SafeLoader)
        plain = yaml.safe_load(raw)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadSpec(
            f"this is not YAML: {error.problem or error.context}", line=mark.line + 1 if mark else None
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadSpec(f"this is not YAML: {str(error).splitlines()[0]}") from error
    if plain is None:
        raise BadSpec("the file is empty; it needs at least name, target, features and algorithms")
    _refuse_twice(tree)
    try:
        spec = ModelSpec.from_dict(plain)
        if folder is not None and spec.name != folder:
            refuse(
                f"the name is '{spec.name}', but the file lies in the folder '{folder}'; make them equal",
                ("name",),
            )
        _check_hyperparameters(spec)
        _check_disks(spec, key)
        return spec
    except BadSpec as refusal:
        raise BadSpec(refusal.message, refusal.path, _line_of(tree, refusal.path)) from refusal


def _check_disks(spec: ModelSpec, key: str | None) -> None:
    """Refuse what AWS would refuse when the endpoint is made: a key for disks that take none."""
    instance = spec.serving.instance
    if key and spec.serving.serverless is None and has_own_disks(instance):
        refuse(
            f"{instance} has disks of its own (NVMe), which AWS encrypts with keys of the hardware: it "
            "refuses an endpoint there for which a key is named, and this stack names one (KmsKeyArn); take "
            "an instance type without such disks, for example ml.m5.large",
            ("serving", "instance"),
        )


def _check_hyperparameters(spec: ModelSpec) -> None:
    """Refuse what the image would refuse: there it costs a failed job, and here a moment.

    A spec that is in force is not asked again: its champion goes on serving, whatever a later image takes.
    """
    for name, (read, known) in _TABLES.items():
        if name not in spec.algorithms:
            continue
        try:
            read(spec.algorithms[name].hyperparameters)
        except BadHyperparameter as wrong:
            refuse(_complaint(wrong, known()), ("algorithms", name, "hyperparameters", wrong.name))


def _complaint(wrong: BadHyperparameter, known: Collection[str]) -> str:
    """Give the image's complaint, with what would help."""
    if wrong.name == "device":
        help_ = "; a GPU is asked for by tree_method: gpu_hist, which GPU instances get by themselves"
        return str(wrong).rstrip(".") + help_
    if wrong.name not in known:
        first = str(wrong).split(". Check the spelling")[0].rstrip(".")
        return f"{first} (AWS's image would refuse it){nearest(wrong.name, known)}"
    return str(wrong).rstrip(".")


def _decoded(text: str | bytes) -> str:
    if len(text) > MOST_BYTES:
        raise BadSpec(f"the file has {len(text):,} bytes; a model file has at most {MOST_BYTES:,}")
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise BadSpec("the file is not UTF-8 text; save it as UTF-8", line=line) from error


def _refuse_tricks(raw: str) -> None:
    # Aliases are how a few bytes of YAML grow to gigabytes, and a model file has no need of them.
    depth = 0
    for event in yaml.parse(raw, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEEP:
            at: Any = event.start_mark
            raise BadSpec(f"lists and names are nested more than {MOST_DEEP} deep", line=at.line + 1)
        if isinstance(event, yaml.ScalarEvent) and (half := half_in(event.value)):
            where: Any = event.start_mark
            raise BadSpec(half_said(half), line=where.line + 1)
        if isinstance(event, yaml.AliasEvent):
            mark: Any = event.start_mark
            raise BadSpec("aliases (*name) are not allowed; write the value out", line=mark.line + 1)


def _refuse_twice(tree: yaml.Node | None, path: tuple[str, ...] = ()) -> None:
    """Refuse a key that stands twice in one place: YAML would take the last and say nothing."""
    if isinstance(tree, yaml.SequenceNode):
        for each in tree.value:
            _refuse_twice(each, path)
    if not isinstance(tree, yaml.MappingNode):
        return
    first: dict[str, int] = {}
    for key, value in tree.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in first:
            raise BadSpec(
                f"{shown(name)} stands here a second time; it stands in line {first[name]} already",
                path,
                line,
            )
        first[name] = line
        _refuse_twice(value, (*path, name))


def _line_of(node: yaml.Node | None, path: tuple[str, ...]) -> int | None:
    """Find the line of the deepest part of a path that the file has."""
    line = node.start_mark.line + 1 if node is not None else None
    for key in path:
        if not isinstance(node, yaml.MappingNode):
            break
        found = next(((k, v) for k, v in node.value if k.value == key), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line
