"""The environment of a local cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.local.settings import StateFolder, daemon_environment


def test_the_file_of_images_is_found_from_where_the_local_cloud_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = StateFolder.of(tmp_path / "state")
    environment = daemon_environment(folder, 1, False, {"TIDEGATE_IMAGES": "own/images.json"})
    assert environment["TIDEGATE_IMAGES"] == str(tmp_path / "own/images.json")
    assert "TIDEGATE_IMAGES" not in daemon_environment(folder, 1, False, {})
