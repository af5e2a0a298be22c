"""Archives made to do harm, at each door where one is unpacked: a model's, and a container's source code.

`test_no_other_place_unpacks_archives_or_loads_pickles` shows that there is no other door.
"""

from __future__ import annotations

import errno
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


def nested() -> list[Member]:
    """Folders and links so deep that a path resolves only up to the limit of the system (CVE-2025-4517)."""
    step, up = "d" * 247, ""
    made: list[Member] = []
    for letter in "abcdefghijklmnop":
        made += [entry(f"{up}{step}", tarfile.DIRTYPE), entry(f"{up}{letter}", tarfile.SYMTYPE, step)]
        up += f"{step}/"
    through = "/".join("abcdefghijklmnop")
    return [
        *made,
        entry(f"{through}/{'l' * 254}", tarfile.SYMTYPE, "../" * 16),
        entry("escape", tarfile.SYMTYPE, f"{through}/{'l' * 254}/../.."),
        entry("hard", tarfile.LNKTYPE, "escape/secret"),
        entry("escape/escaped"),
    ]


NESTED = nested()


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
        [entry("d", tarfile.GNUTYPE_SPARSE)],
        [entry("d", b"Z")],
        [entry("model"), entry("l", tarfile.SYMTYPE, "model")],
        [entry("model"), entry("l", tarfile.LNKTYPE, "model")],
        NESTED,
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
        "sparse file",
        "unknown kind",
        "link within",
        "hard link within",
        "nested links",
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
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE], ids=["file", "folder"])
@pytest.mark.parametrize("said", ["in the header", "in the attributes"])
def test_a_negative_size_makes_no_room_for_more(tmp_path: Path, door: Door, kind: bytes, said: str) -> None:
    member, _ = entry("room", kind)
    if said == "in the header":
        member.size = -(1 << 40)
        head = member.tobuf(tarfile.GNU_FORMAT)
    else:
        member.pax_headers = {"size": str(-(1 << 40))}
        head = member.tobuf(tarfile.PAX_FORMAT)
    rest = tarfile.TarInfo("big")
    rest.size = 1 << 40
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(head + rest.tobuf()))
    with pytest.raises((BadArchive, ContainerError), match=r"a size of -\d+ bytes"):
        door(tmp_path / "a.tar.gz", tmp_path / "into")
    assert not list((tmp_path / "into").iterdir())


@DOORS
def test_a_small_archive_of_gigabytes_of_zeros_is_refused_before_they_are_written(
    tmp_path: Path, door: Door
) -> None:
    member, _ = entry("zeros")
    member.size = 2 << 30
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(member.tobuf() + bytes(1 << 20)))
    with pytest.raises((BadArchive, ContainerError), match=r"more than 1073741824 bytes"):
        door(tmp_path / "a.tar.gz", tmp_path / "into")
    assert not list((tmp_path / "into").iterdir())


@DOORS
@pytest.mark.parametrize(
    "members",
    [
        [entry("f" * 300)],
        [entry("/".join("f" * 600))],
        [entry("/".join(["f" * 200] * 6))],
        [entry("a"), entry("a/b")],
        [entry("a"), entry("a")],
        [entry("a"), entry("a", tarfile.DIRTYPE)],
        [entry(".")],
    ],
    ids=["name", "depth", "path", "file in a file", "twice", "file and folder", "no name"],
)
def test_a_path_that_cannot_be_a_file_s_is_refused(tmp_path: Path, door: Door, members: list[Member]) -> None:
    with pytest.raises((BadArchive, ContainerError), match=r"too long|no folder|twice|without a name"):
        door(archive_of(tmp_path / "a.tar.gz", *members), tmp_path / "into")
    assert not list((tmp_path / "into").iterdir())


@DOORS
def test_a_refusal_shows_control_characters_as_such(tmp_path: Path, door: Door) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", entry("\x1b]0;mine\x07" + "n" * 200, tarfile.SYMTYPE, "x"))
    with pytest.raises((BadArchive, ContainerError), match=r"'\\x1b\]0;mine\\x07n+\.\.\.' is a link"):
        door(archive, tmp_path / "into")


def test_links_that_are_in_the_folder_already_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "into").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "into" / "folder").symlink_to(tmp_path / "outside")
    (tmp_path / "into" / "file").symlink_to(tmp_path / "outside" / "new")
    for name in ("folder/escaped", "file"):
        with pytest.raises(BadArchive, match=r"no folder|has it already"):
            unpack(archive_of(tmp_path / "a.tar.gz", entry("first"), entry(name)), tmp_path / "into")
    assert not list((tmp_path / "outside").iterdir())
    assert sorted(path.name for path in (tmp_path / "into").iterdir()) == ["file", "folder"]


def test_an_archive_that_is_cut_short_or_changed_leaves_nothing(tmp_path: Path) -> None:
    member, _ = entry("model")
    whole = gzip.decompress(archive_of(tmp_path / "a.tar.gz", (member, b"0" * 2000)).read_bytes())
    second, _ = entry("second")
    both = whole[: 5 * 512] + second.tobuf() + bytes(1024)
    changed = both[: 5 * 512 + 150] + b"9" + both[5 * 512 + 151 :]
    zipped = bytearray(gzip.compress(both))
    zipped[-5] ^= 1  # the checksum
    for content in (whole[:1500], changed, gzip.compress(both)[:-9], bytes(zipped), both + whole):
        (tmp_path / "b").write_bytes(content)
        with pytest.raises(BadArchive, match=r"broken|not a tar\.gz"):
            unpack(tmp_path / "b", tmp_path / "into")
        assert not list((tmp_path / "into").iterdir())
    (tmp_path / "b").write_bytes(both)
    unpack(tmp_path / "b", tmp_path / "into")
    assert sorted(path.name for path in (tmp_path / "into").iterdir()) == ["model", "second"]


def test_a_full_disk_is_not_blamed_on_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(BadArchive, match=r"could not be unpacked here: No space left on device\."):
        unpack(archive_of(tmp_path / "a.tar.gz", entry("model")), tmp_path / "into")
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
    "src/tidegate/local/sagemaker/containers/members.py",
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
