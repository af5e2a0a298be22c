"""Tidegate: the whole profile; with a window, its comparison with the suggested constraints."""

import sys
from pathlib import Path

from tidegate.table.compare import compare
from tidegate.table.constraints import Constraints, suggest
from tidegate.table.scan import profile_file

print("ready", flush=True)
profiles = [profile_file(Path(path)) for path in sys.argv[1:]]
profiles[0].statistics()
if len(profiles) > 1:
    print(compare(profiles[0], Constraints.read(suggest(profiles[0])), profiles[1]).verdict())
