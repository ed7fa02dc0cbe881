"""The API as its own description says it is, whatever it is asked."""

from collections.abc import Callable, Iterator

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from hexwave_app.api.app import create_api
from tests.conftest import PATIENCE
from tests.e2e.conftest import Server

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
    allow_header_conformance,
]


@pytest.fixture(scope="module")
def caller(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as http:
        http.get("/api/processes")
        yield http


schema = schemathesis.openapi.from_dict(create_api().openapi())


@schema.parametrize()
@settings(
    max_examples=25,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_answer_is_one_that_is_described(case: schemathesis.Case, caller: httpx.Client) -> None:
    """No 500, no status, type or form that the document does not tell of; what is wrong is refused."""
    # A path with a line break in it is no route's: Reflex answers it, in plain text.
    unsaid = [content_type_conformance] if case.path.startswith("/media/") else []
    answer = case.call(
        base_url=str(caller.base_url),
        cookies=dict(caller.cookies),
        timeout=PATIENCE,
        allow_redirects=False,
    )
    if answer.status_code == 414:
        # Longer than any URL: refused before anything of ours is asked.
        return
    case.validate_response(answer, checks=CHECKS, excluded_checks=unsaid)
    if answer.status_code == 200 and case.method == "POST" and "processId" in answer.json():
        # Nobody waits for these pictures.
        caller.post(f"/api/processes/{answer.json()['processId']}/cancel")


def test_the_server_is_well_afterwards(caller: httpx.Client, printed: Callable[[], str]) -> None:
    """It answers, and a request that is right is still done."""
    assert caller.get("/api/health").json() == {"status": "up", "live": "up"}
    assert "Traceback" not in printed()
