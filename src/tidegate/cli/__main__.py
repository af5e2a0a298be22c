"""`python -m tidegate.cli` is the command `tidegate`."""

from tidegate.cli.main import app

app(prog_name="tidegate")
