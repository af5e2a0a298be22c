"""The group of verbs: how a wrong use of the command is told."""

from __future__ import annotations

import sys
from typing import Any

from typer.core import TyperGroup

from tidegate.cli.output import write_error, write_json


class Verbs(TyperGroup):
    """The group of verbs; a wrong use is told in JSON too when JSON was asked for."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a verb and end the process with its exit code."""
        arguments = kwargs.get("args") or (args[0] if args else None) or sys.argv[1:]
        if "--json" not in arguments or kwargs.get("standalone_mode") is False:
            return super().main(*args, **kwargs)
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except Exception as error:
            words = getattr(error, "format_message", None)
            if words is None:
                raise
            document = {"error": {"message": words(), "remedy": "`tidegate --help` lists verbs and options."}}
            write_json(document)
            write_error(words())
            sys.exit(getattr(error, "exit_code", 2))
        sys.exit(code if isinstance(code, int) else 0)
