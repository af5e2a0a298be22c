"""Archives made to do harm, at each door where one is unpacked: a model's, and a container's source code.

`test_no_other_place_unpacks_archives_or_loads_pickles` shows that there is no other door.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from tidegate.local.sagemaker.containers.archives import MOST_UNPACKED_BYTES, BadArchive, unpack
from tidegate.local.sagemaker.images.container import ContainerError
from tidegate.local.sagemaker.images.scikit_learn.source import fetch_source

ROOT = Path(__file__).parents[3]
Member = tuple[tarfile.TarInfo, bytes]


def archive_of(path: Path, *members: Member) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def model(archive: Path, into: Path) -> None:
    into.mkdir(exist_ok=True)
    unpack(archive, into)


def code(archive: Path, into: Path) -> None:
    fetch_source(str(archive), into)


DOORS = pytest.mark.parametrize("door", [model, code], ids=["model", "code"])
Door = Callable[[Path, Path], None]


@DOORS
@pytest.mark.parametrize(
    "members",
    [
        [entry("../escaped")],
        [entry("a/../../escaped")],
        [entry("l", tarfile.SYMTYPE, "/etc/passwd")],
        [entry("l", tarfile.SYMTYPE, "../../x")],
        [entry("l", tarfile.SYMTYPE, ".."), entry("l/escaped")],
        [entry("l", tarfile.LNKTYPE, "../secret")],
        [entry("d", tarfile.CHRTYPE)],
        [entry("d", tarfile.BLKTYPE)],
        [entry("d", tarfile.FIFOTYPE)],
    ],
    ids=[
        "parent",
        "parent of a folder",
        "absolute link",
        "relative link",
        "file through a link",
        "hard link",
        "character device",
        "block device",
        "pipe",
    ],
)
def test_an_archive_cannot_write_or_read_outside_its_folder(
    tmp_path: Path, door: Door, members: list[Member]
) -> None:
    (tmp_path / "secret").write_text("kept")
    with pytest.raises((BadArchive, ContainerError), match=r"outside|special"):
        door(archive_of(tmp_path / "a.tar.gz", *members), tmp_path / "into")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "into", "secret"]
    assert not list((tmp_path / "into").iterdir())


@DOORS
def test_an_absolute_path_lands_inside_the_folder(tmp_path: Path, door: Door) -> None:
    door(archive_of(tmp_path / "a.tar.gz", entry("/etc/tidegate-was-here")), tmp_path / "into")
    assert (tmp_path / "into" / "etc" / "tidegate-was-here").exists()
    assert not Path("/etc/tidegate-was-here").exists()


@DOORS
def test_no_file_comes_out_with_more_rights_than_its_owner_s(tmp_path: Path, door: Door) -> None:
    member, content = entry("tool")
    member.mode = 0o6777
    door(archive_of(tmp_path / "a.tar.gz", (member, content)), tmp_path / "into")
    assert (tmp_path / "into" / "tool").stat().st_mode & 0o7022 == 0


@DOORS
def test_an_archive_that_says_it_is_huge_is_refused_before_anything_is_written(
    tmp_path: Path, door: Door
) -> None:
    member = tarfile.TarInfo("zeros")
    member.size = MOST_UNPACKED_BYTES + 1
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(member.tobuf()))
    with pytest.raises((BadArchive, ContainerError), match=r"more than \d+ bytes"):
        door(tmp_path / "a.tar.gz", tmp_path / "into")
    assert not list((tmp_path / "into").iterdir())


@DOORS
@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE], ids=["name", "attributes"])
def test_a_name_or_attribute_that_unpacks_to_gigabytes_does_not_fill_the_memory(
    tmp_path: Path, door: Door, kind: bytes
) -> None:
    member = tarfile.TarInfo("x")
    member.type, member.size = kind, 64 << 20
    with gzip.open(tmp_path / "a.tar.gz", "wb", compresslevel=1) as zipped:
        zipped.write(member.tobuf())
        for _ in range(64):
            zipped.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises((BadArchive, ContainerError), match="header of"):
        door(tmp_path / "a.tar.gz", tmp_path / "into")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 8 << 20


def test_an_archive_that_grows_too_large_is_refused(tmp_path: Path) -> None:
    member, _ = entry("big")
    archive = archive_of(tmp_path / "a.tar.gz", (member, b"0" * 1000))
    with pytest.raises(BadArchive, match="more than 999 bytes"):
        unpack(archive, tmp_path, most_bytes=999)


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", *(entry(f"f{at}") for at in range(11)))
    with pytest.raises(BadArchive, match="or 10 files"):
        unpack(archive, tmp_path / "into", most_files=10)


@DOORS
@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", b"\x1f\x8b\x08broken", gzip.compress(b"no tar" * 99, mtime=0)],
    ids=["nothing", "no archive", "a broken archive", "no tar in it"],
)
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, door: Door, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises((BadArchive, ContainerError), match=r"not a tar\.gz"):
        door(tmp_path / "a.tar.gz", tmp_path / "into")


# Where archives are unpacked, where one is only written, and where the stack's own layers are fetched.
DOORWAYS = {
    "src/tidegate/local/sagemaker/containers/archives.py",
    "src/tidegate/serving/bundle.py",
    "glue/profile_window.py",
}
UNPACKER = re.compile(r"^\s*(?:import|from) (?:tarfile|zipfile|lzma|bz2)\b|unpack_archive\(", re.M)
LOADER = re.compile(
    r"^\s*(?:import|from) (?:pickle|dill|cloudpickle|joblib|shelve|marshal)\b"
    r"|allow_pickle=True|yaml\.(?:unsafe_)?load\(",
    re.M,
)


def test_no_other_place_unpacks_archives_or_loads_pickles() -> None:
    files = [path for room in ("src", "functions", "glue") for path in (ROOT / room).rglob("*.py")]
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in files}
    assert len(texts) > 100
    assert {path for path, text in texts.items() if UNPACKER.search(text)} == DOORWAYS
    assert {path for path, text in texts.items() if LOADER.search(text)} == set()
