"""List operations: every filter, every order, and pages that neither skip nor repeat."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.local.sagemaker.errors import ValidationException
from tidegate.local.sagemaker.paging import list_page, pick

START = datetime(2026, 1, 1, tzinfo=UTC)


def job(number: int, name: str | None = None, status: str = "Completed") -> dict[str, Any]:
    time = START + timedelta(minutes=number)
    return {
        "Name": name or f"job-{number:03}",
        "Status": status,
        "CreationTime": time,
        "LastModifiedTime": time + timedelta(hours=1),
        "Secret": "not in a summary",
    }


JOBS = [job(number, status="Failed" if number % 3 == 0 else "Completed") for number in range(25)]


def page(request: dict[str, Any], jobs: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return list_page(
        JOBS if jobs is None else jobs,
        request,
        answer="Jobs",
        name="Name",
        status="Status",
        summarize=pick("Name", "Status"),
        order="Ascending",
    )


def names(request: dict[str, Any], jobs: list[dict[str, Any]] | None = None) -> list[str]:
    return [summary["Name"] for summary in page({"MaxResults": 100, **request}, jobs)["Jobs"]]


def all_pages(request: dict[str, Any], jobs: list[dict[str, Any]]) -> list[str]:
    found: list[str] = []
    while True:
        answer = page(request, jobs)
        found += [summary["Name"] for summary in answer["Jobs"]]
        assert len(found) <= len(jobs), "pages repeat jobs"
        if "NextToken" not in answer:
            return found
        request = {**request, "NextToken": answer["NextToken"]}


def test_a_page_holds_ten_summaries_unless_asked_otherwise() -> None:
    answer = page({})
    assert len(answer["Jobs"]) == 10
    assert answer["Jobs"][0] == {"Name": "job-000", "Status": "Failed"}
    assert len(page({"MaxResults": 25})["Jobs"]) == 25
    assert "NextToken" not in page({"MaxResults": 25})


def test_names_are_found_by_a_part_of_them_whatever_their_case() -> None:
    assert names({"NameContains": "B-02"}) == ["job-020", "job-021", "job-022", "job-023", "job-024"]


def test_times_bound_a_listing_on_both_sides_and_leave_out_the_bounds() -> None:
    assert names({"CreationTimeAfter": START, "CreationTimeBefore": START + timedelta(minutes=3)}) == [
        "job-001",
        "job-002",
    ]
    assert names({"LastModifiedTimeAfter": START + timedelta(minutes=83)}) == ["job-024"]
    assert names({"LastModifiedTimeBefore": START + timedelta(minutes=61)}) == ["job-000"]


def test_a_status_selects() -> None:
    assert len(names({"StatusEquals": "Failed"})) == 9


def test_orders_are_by_name_by_time_and_by_status_in_both_directions() -> None:
    jobs = [job(1, "b", "Failed"), job(2, "c", "Completed"), job(3, "a", "Stopped")]
    assert names({}, jobs) == ["b", "c", "a"]
    assert names({"SortOrder": "Descending"}, jobs) == ["a", "c", "b"]
    assert names({"SortBy": "Name"}, jobs) == ["a", "b", "c"]
    assert names({"SortBy": "Status"}, jobs) == ["c", "b", "a"]
    assert names({"SortBy": "Status", "SortOrder": "Descending"}, jobs) == ["a", "b", "c"]


@given(
    minutes=st.lists(st.integers(0, 5), max_size=30),
    size=st.integers(1, 7),
    sort_by=st.sampled_from(["Name", "CreationTime", "Status"]),
    order=st.sampled_from(["Ascending", "Descending"]),
)
def test_pages_put_together_are_the_whole_listing(
    minutes: list[int], size: int, sort_by: str, order: str
) -> None:
    jobs = [job(minute, f"j{number}") for number, minute in enumerate(minutes)]
    request = {"SortBy": sort_by, "SortOrder": order}
    assert all_pages({**request, "MaxResults": size}, jobs) == names(request, jobs)


def test_jobs_that_come_and_go_between_pages_neither_hide_nor_repeat_others() -> None:
    first = page({"MaxResults": 5})
    changed = [job for job in JOBS if job["Name"] != "job-004"] + [job(-5, "newcomer")]
    rest = all_pages({"MaxResults": 5, "NextToken": first["NextToken"]}, changed)
    assert rest == [f"job-{number:03}" for number in range(5, 25)]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "é",
        base64.urlsafe_b64encode(b"12").decode(),
        base64.urlsafe_b64encode(b"[1]").decode(),
    ],
)
def test_a_token_that_nobody_gave_is_refused(token: str) -> None:
    with pytest.raises(ValidationException, match="NextToken is not one"):
        page({"NextToken": token})


def test_a_token_of_another_listing_is_refused() -> None:
    token = page({"SortBy": "Name"})["NextToken"]
    with pytest.raises(ValidationException, match="NextToken belongs to a listing with other filters"):
        page({"SortBy": "Status", "NextToken": token})


def test_the_page_size_may_change_from_page_to_page() -> None:
    token = page({"MaxResults": 3})["NextToken"]
    assert page({"MaxResults": 1, "NextToken": token})["Jobs"][0]["Name"] == "job-003"
