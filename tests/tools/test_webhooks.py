"""The token that lets a provider report."""

from urllib.parse import parse_qs, urlsplit

import pytest

from hexwave_app.identity.secret import Secret
from hexwave_app.processes.errors import WebhookRefused
from hexwave_app.tools.webhooks import Webhooks

BEFORE, ROTATED, AFTER = (
    Webhooks("", *secret.keys("webhook"))
    for secret in (Secret("a" * 32), Secret("b" * 32, ["a" * 32]), Secret("b" * 32))
)


def token(webhooks: Webhooks) -> str:
    return parse_qs(urlsplit(webhooks.url("image", "p_1")).query)["token"][0]


def test_a_job_of_before_the_secret_changed_can_report() -> None:
    """For as long as the old secret is in the list; another process's token never is good."""
    ROTATED.check("p_1", token(BEFORE))
    with pytest.raises(WebhookRefused):
        AFTER.check("p_1", token(BEFORE))
    with pytest.raises(WebhookRefused):
        ROTATED.check("p_2", token(BEFORE))


def test_new_jobs_are_signed_with_the_new_secret() -> None:
    """Dropping the old one is then no loss."""
    AFTER.check("p_1", token(ROTATED))
