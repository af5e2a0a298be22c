"""Parameters that several verbs have, with their help and completion."""

from __future__ import annotations

from typing import Annotated

import typer

from tidegate.cli.completion import model_names, run_ids

Model = Annotated[str, typer.Argument(help="Name of the model.", autocompletion=model_names)]
AnyModel = Annotated[str | None, typer.Argument(help="Only this model.", autocompletion=model_names)]
RunId = Annotated[str, typer.Argument(help="Id of the run, or its beginning.", autocompletion=run_ids)]
Port = Annotated[
    int | None,
    typer.Option(help="Port of the local cloud on 127.0.0.1.", min=1, max=65535, show_default="4566"),
]
Limit = Annotated[int, typer.Option(help="How many to show at most.", min=1)]
