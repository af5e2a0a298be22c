"""Laws of unpacking, held against archives that nobody would write: nothing outside, never more than allowed."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.local.sagemaker.containers.archives import BadArchive, pack, unpack

MOST_BYTES, MOST_FILES = 20_000, 8
KINDS = [bytes([kind]) for kind in b"01234567LKSxgVNDZ\0"]
STEP = st.sampled_from(["a", "b", "link", "..", ".", "", "~", "ü", "\x1b", "secret", "n" * 120])
PATHS = st.one_of(
    st.integers(0, 99).map("file {}".format),
    st.integers(0, 99).map("a/b/file {}".format),
    st.lists(STEP, min_size=1, max_size=6).map("/".join),
)
SIZES = st.one_of(
    st.integers(0, 3_000), st.sampled_from([-1, -512, -(1 << 40), MOST_BYTES, 1 << 35, (1 << 63) - 1])
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        [
            "path",
            "linkpath",
            "size",
            "mtime",
            "GNU.sparse.major",
            "GNU.sparse.minor",
            "GNU.sparse.name",
            "GNU.sparse.realsize",
            "GNU.sparse.size",
            "GNU.sparse.map",
            "hdrcharset",
        ]
    ),
    st.one_of(
        PATHS, SIZES.map(str), st.sampled_from(["nan", "1,2,3", "1" * 5000, "BINARY", "../../escaped"])
    ),
    max_size=3,
)


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """Make an archive of members that lie about their names, kinds, sizes and attributes."""

    def rarely() -> bool:
        return draw(st.integers(0, 7)) == 0

    archive = b""
    for _ in range(draw(st.integers(1, 12))):
        member = tarfile.TarInfo(draw(PATHS))
        member.type = draw(st.sampled_from(KINDS)) if rarely() else tarfile.REGTYPE
        member.linkname, member.mode = draw(PATHS), draw(st.integers(0, 0o7777))
        content = draw(st.binary(max_size=40)) * 40
        member.size = draw(SIZES) if rarely() else len(content)
        member.pax_headers = draw(ATTRIBUTES) if rarely() else {}
        form = draw(st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
        with contextlib.suppress(ValueError):  # a size that this format cannot write
            archive += member.tobuf(form) + content + bytes(-len(content) % 512)
    archive += bytes(1024)
    if rarely():
        at = draw(st.integers(0, len(archive) - 1))
        archive = archive[:at] + draw(st.binary(min_size=1, max_size=8)) + archive[at + 1 :]
    return gzip.compress(archive) if draw(st.booleans()) else archive


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(hostile())
def test_whatever_an_archive_holds_nothing_is_outside_and_never_more_than_allowed(archive: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "secret").write_text("kept")
        (home / "a.tar").write_bytes(archive)
        into = home / "x" / "y" / "into"
        refused = False
        try:
            unpack(home / "a.tar", into, most_bytes=MOST_BYTES, most_files=MOST_FILES)
        except BadArchive as error:
            refused = True
            assert "\x1b" not in str(error) and len(str(error)) < 400
        outside = {path.relative_to(home).as_posix() for path in home.rglob("*") if into not in path.parents}
        assert outside == {"secret", "a.tar", "x", "x/y", "x/y/into"}
        assert (home / "secret").read_text() == "kept"
        inside = list(into.rglob("*"))
        assert not (refused and inside)
        assert not any(path.is_symlink() or not (path.is_file() or path.is_dir()) for path in inside)
        files = [path for path in inside if path.is_file()]
        assert len(files) <= MOST_FILES
        assert sum(path.stat().st_size for path in files) <= MOST_BYTES
        assert all(path.stat().st_nlink == 1 for path in files)


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=30)
TREES = st.dictionaries(
    st.lists(NAMES.filter(lambda name: name not in (".", "..")), min_size=1, max_size=4).map(tuple),
    st.binary(max_size=2_000),
    max_size=6,
)


@pytest.mark.slow
@settings(deadline=None, max_examples=100)
@given(TREES)
def test_what_is_packed_comes_out_the_same(tree: dict[tuple[str, ...], bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "in").mkdir()
        kept: dict[str, bytes] = {}
        for parts, content in tree.items():
            path = home.joinpath("in", *parts)
            with contextlib.suppress(FileExistsError, NotADirectoryError, IsADirectoryError):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                kept["/".join(parts)] = content
        pack(home / "in", home / "a.tar.gz")
        unpack(home / "a.tar.gz", home / "out")
        came = {
            path.relative_to(home / "out").as_posix(): path.read_bytes()
            for path in (home / "out").rglob("*")
            if path.is_file()
        }
        assert came == kept


def test_archives_of_other_tools_are_read() -> None:
    """As `tar -C folder .` writes them, and as Java, Go and old tools do: without folders, in two zipped parts."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, kind in ((".", tarfile.DIRTYPE), ("./code", tarfile.DIRTYPE)):
            folder = tarfile.TarInfo(name)
            folder.type = kind
            tar.addfile(folder)
        for name in ("./code/inference.py", "./deep/er/model"):
            member = tarfile.TarInfo(name)
            member.size = 3
            tar.addfile(member, io.BytesIO(b"one"))
    whole = packed.getvalue()
    with tempfile.TemporaryDirectory() as name:
        archive = Path(name) / "a.tar.gz"
        archive.write_bytes(gzip.compress(whole[:700]) + gzip.compress(whole[700:]))
        unpack(archive, Path(name) / "out")
        assert (Path(name) / "out" / "deep" / "er" / "model").read_bytes() == b"one"
        assert (Path(name) / "out" / "code" / "inference.py").read_bytes() == b"one"
