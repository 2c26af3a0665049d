"""What an error must look like: the status, code and body shape of its service."""

import requests

from pulumi_aep.emulator.app import SERVICES
from pulumi_aep.emulator.core.errors import RULES, Service

assert SERVICES  # importing them declares the rules

# A value that tests use as a secret. No answer, journal or log may hold it.
CANARY = "canary-pa55word"


def refused(response: requests.Response, rule_id: str, *words: str) -> None:
    """The response is this rule's error, in its documented shape, and its text contains `words`."""
    rule = RULES[rule_id]
    assert response.status_code == rule.status, response.text
    body, request_id = response.json(), response.headers["x-request-id"]
    kind = f"/aep/errors/{rule.code}" if rule.code else "/placeholder/type/uri"
    if rule.service is Service.IMS:
        assert body["error"] == rule.code
        text = body["error_description"]
    elif rule.service is Service.GATEWAY and rule.code:
        assert body["error_code"] == rule.code
        text = body["message"]
    else:
        assert body["type"].endswith(kind), body
        assert (body["title"], body["status"]) == (rule.title, rule.status)
        if rule.service is Service.FLOW:
            assert body["report"]["request-id"] == request_id
            text = body["report"]["detailed-message"]
            assert body["errorMessage"] == body["errorDetails"] == text
        else:
            text = body["detail"]
        if rule.service is Service.REGISTRY:
            assert body["report"]["registryRequestId"] == request_id
            assert body["report"]["detailed-message"] == text
    for word in words:
        assert word in text, text
    assert CANARY not in response.text
