"""The webhook contract of external APIs that have none of their own."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexwave_app.processes import Stage
from hexwave_app.processes.errors import InvalidRequest
from hexwave_app.providers.plain_contract import parse_plain, plain_body
from hexwave_app.tools.provider import Report


@pytest.mark.parametrize(
    ("body", "report"),
    [
        ({"status": "success", "images": ["u"]}, Report("succeeded", results=("u",))),
        (
            {"status": "success", "images": ["u", "v"], "jobId": "j", "notice": "n"},
            Report("succeeded", "j", results=("u", "v"), notice="n"),
        ),
        ({"status": "error", "error": "e", "jobId": "j"}, Report("failed", "j", error="e")),
        (
            {"status": "error", "error": "e", "errorCode": "content_refused"},
            Report("failed", error="e", error_code="content_refused"),
        ),
        ({"status": "processing", "jobId": 7}, Report("processing", "7")),
        ({"status": "processing"}, Report("processing")),
        (
            {"status": "processing", "progress": 0, "stage": "painting", "preview": "u"},
            Report("processing", progress=0, stage=Stage.PAINTING, previews=("u",)),
        ),
        (
            {"status": "processing", "stage": "queued", "ahead": 2},
            Report("processing", stage=Stage.QUEUED, ahead=2),
        ),
        ({"status": "processing", "preview": [None, "u"]}, Report("processing", previews=(None, "u"))),
        ({"status": "processing", "preview": [], "x": 1}, Report("processing", previews=())),
    ],
)
def test_each_form_is_understood(body: dict[str, Any], report: Report) -> None:
    """With everything or the least of it; what is not of the contract is passed over."""
    assert parse_plain(body) == report


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (None, "status"),
        ([], "status"),
        ("success", "status"),
        ({}, "status"),
        ({"status": "done"}, "status"),
        ({"status": ["success"]}, "status"),
        ({"status": "success"}, "images"),
        ({"status": "success", "images": []}, "images"),
        ({"status": "success", "images": "u"}, "images"),
        ({"status": "success", "images": ["u"] * 17}, "images"),
        ({"status": "success", "images": ["u" * 2049]}, "images.0"),
        ({"status": "error"}, "error"),
        ({"status": "error", "error": "e", "errorCode": "timeout"}, "errorCode"),
        ({"status": "processing", "progress": -1}, "progress"),
        ({"status": "processing", "progress": 101}, "progress"),
        ({"status": "processing", "stage": "saving"}, "stage"),
        ({"status": "success", "images": ["u"], "jobId": "j" * 201}, "jobId"),
    ],
)
def test_what_is_wrong_is_named(body: object, field: str) -> None:
    """`InvalidRequest` with the field's wire name and a sentence."""
    with pytest.raises(InvalidRequest) as refused:
        parse_plain(body)
    assert refused.value.field == field
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize(
    "report",
    [
        Report("succeeded", "j", results=("u", "v"), notice="n"),
        Report("failed", "j", error="e", error_code="provider_failed"),
        Report("processing", "j"),
        Report("processing", "j", progress=0, stage=Stage.PAINTING, previews=(None, "u")),
    ],
)
def test_a_report_survives_the_wire(report: Report) -> None:
    assert parse_plain(json.loads(json.dumps(plain_body(report)))) == report


def test_a_long_error_is_cut_to_what_the_contract_takes() -> None:
    body = plain_body(Report("failed", "j", error="e" * 5000))
    assert parse_plain(body).error == "e" * 2000


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
_key = st.sampled_from(
    ["status", "images", "error", "progress", "stage", "ahead", "preview", "jobId", "notice"]
)
_word = st.sampled_from(["success", "error", "processing"])


@given(_json | st.dictionaries(_key, _json | _word))
def test_whatever_comes_is_a_report_or_refused(body: object) -> None:
    """No other error, whatever a foreign API sends."""
    with contextlib.suppress(InvalidRequest):
        assert isinstance(parse_plain(body), Report)
