"""A module of the emulator, seen through our own words, and whether it still is what we rely on."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType
from typing import Any

# What the emulator calls it, and the signature it must have (None: any value will do).
_Inner = tuple[str, str | None]


class Part:
    """A module of the emulator, seen through our own words.

    Reading an attribute gives what the emulator holds at that moment; :meth:`replace` puts ours in its place,
    also for the emulator's own callers. The module is imported on first use, because it reads its environment
    then.

    Parameters
    ----------
    module
        The module's dotted name.
    words
        Our word for each inner name, with the signature we rely on.
    """

    def __init__(self, module: str, words: dict[str, _Inner]) -> None:
        self._module_name = module
        self._words = words
        self._module: ModuleType | None = None

    def __getattr__(self, word: str) -> Any:
        words: dict[str, _Inner] = self.__dict__["_words"]
        if word not in words:
            raise AttributeError(f"{self._module_name}: the word {word!r} is not listed in emulator/names.py")
        return getattr(self._load(), words[word][0])

    def replace(self, word: str, value: Any) -> Any:
        """Put ``value`` where the emulator keeps ``word`` and return what was there."""
        before = getattr(self, word)
        setattr(self._load(), self._words[word][0], value)
        return before

    def problems(self) -> list[str]:
        """Return a sentence for each name that is missing or takes other arguments than expected."""
        module = self._load()
        found = []
        for inner, signature in self._words.values():
            if not hasattr(module, inner):
                found.append(f"{self._module_name}.{inner} is gone")
            elif signature is not None:
                actual = _signature(getattr(module, inner))
                if actual != signature:
                    found.append(f"{self._module_name}.{inner} takes {actual} instead of {signature}")
        return found

    def _load(self) -> ModuleType:
        if self._module is None:
            self._module = importlib.import_module(self._module_name)
        return self._module


def _signature(value: Any) -> str:
    """Return the parameters of a function or class by name and default, without annotations."""
    parameters = inspect.signature(value).parameters.values()
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    return str(inspect.Signature(plain))
