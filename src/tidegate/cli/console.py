"""A console in which no text is markup, and which writes out what a terminal would obey or hide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import console
from rich.segment import Segment
from rich.text import Text

from tidegate.cli.visible import visible


class Console(console.Console):
    """Rich's console for texts that are nobody's markup.

    Parameters
    ----------
    **settings
        As of Rich's own.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **settings)

    def render_str(self, text: str, **how: Any) -> Text:
        """Make a Text of a bare text, wherever it stands: in a line, a cell, a heading, a caption."""
        return super().render_str(visible(text), **{**how, "markup": False, "emoji": False})

    def render(
        self, renderable: console.RenderableType, options: console.ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render anything; whatever it is made of comes by here as Text, and at last as segments."""
        if isinstance(renderable, Text):
            renderable = _written_out(renderable)
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else visible(segment.text)
            yield segment if text == segment.text else Segment(text, segment.style)


def _written_out(text: Text) -> Text:
    plain = visible(text.plain)
    if plain == text.plain:
        return text
    if not text.spans:
        return Text(plain, style=text.style, justify=text.justify, overflow=text.overflow, end=text.end)
    # Each character keeps its style: what it becomes is longer.
    made = Text(style=text.style, justify=text.justify, overflow=text.overflow, end=text.end)
    for character in text.divide(range(1, len(text.plain))):
        made.append_text(Text(visible(character.plain), style=character.style, spans=_whole(character)))
    return made


def _whole(character: Text) -> list[Any]:
    longer = len(visible(character.plain))
    return [span._replace(start=0, end=longer) for span in character.spans]
