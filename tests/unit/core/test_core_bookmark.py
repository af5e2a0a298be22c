"""The bookmark: whatever is listed when, and however little one check takes, each content is taken once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.core.bookmark import Found, look_from, propose
from tidegate.core.windows import served_by


def found(key: str, etag: str = "1", size: int = 10, modified: str = "2024-05-01T00:00:00+00:00") -> Found:
    return Found("capture", key, etag, size, modified)


objects = st.builds(
    found,
    st.sampled_from("abcdefgh"),
    st.sampled_from("12"),
    st.integers(1, 100),
    st.sampled_from([f"2024-05-01T0{hour}:00:00+00:00" for hour in range(9)]),
)


@given(st.lists(objects, max_size=40), st.integers(1, 4), st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_every_content_that_is_ever_listed_is_taken_exactly_once(arriving, most_files, most_bytes):
    bucket, seen, taken = {}, {}, []
    window = 0
    for each in [*arriving, None]:
        if each is not None:
            bucket[each.key] = each
        while True:
            window += 1
            proposal = propose(bucket.values(), seen, window, most_files=most_files, most_bytes=most_bytes)
            assert len(proposal.taken) <= most_files
            seen = proposal.seen
            taken += [(one.key, one.etag) for one in proposal.taken]
            if not proposal.left:
                break
    changes = [(each.key, each.etag) for each in arriving]
    # A content that came back after another one counts as rewritten again; neighbours alike are one.
    expected = []
    last = {}
    for key, etag in changes:
        if last.get(key) != etag:
            expected.append((key, etag))
        last[key] = etag
    assert sorted(taken) == sorted(expected)


def test_a_rewritten_object_names_every_window_that_counted_rows_of_it():
    first = propose([found("a")], {}, 1, most_files=9, most_bytes=99)
    second = propose([found("a", "2")], first.seen, 2, most_files=9, most_bytes=99)
    third = propose([found("a", "3")], second.seen, 3, most_files=9, most_bytes=99)
    assert [p.taken[0].counted_in for p in (first, second, third)] == [(), (1,), (1, 2)]


def test_the_oldest_come_first_and_the_rest_waits():
    listed = [
        found("b", modified="2024-05-02T00:00:00+00:00"),
        found("a", modified="2024-05-03T00:00:00+00:00"),
    ]
    proposal = propose(listed, {}, 1, most_files=1, most_bytes=99)
    assert [each.key for each in proposal.taken] == ["b"]
    assert proposal.left == 1


def test_one_object_is_taken_however_large_it_is():
    assert propose([found("a", size=10**9)], {}, 1, most_files=9, most_bytes=10).taken


def test_what_is_no_longer_listed_is_forgotten():
    proposal = propose([found("b")], {"a": ["1", 1]}, 2, most_files=9, most_bytes=99)
    assert set(proposal.seen) == {"b"}


def test_the_listing_goes_back_some_days_before_the_newest_object():
    assert look_from("2024-03-02T23:59:59+00:00") == "2024-02-28"
    assert look_from(None) is None


def test_what_the_old_champion_served_is_checked_apart_from_what_the_new_one_serves():
    old, new = (
        found("a", modified="2024-05-01T00:00:00+00:00"),
        found("b", modified="2024-05-03T00:00:00+00:00"),
    )
    assert served_by([old, new], "m1", "m2", "2024-05-02T00:00:00+00:00") == ("m1", [old])
    assert served_by([new], "m1", "m2", "2024-05-02T00:00:00+00:00") == ("m2", [new])
    assert served_by([old, new], None, "m2", None) == ("m2", [old, new])
