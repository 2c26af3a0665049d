"""Every error that this package raises on purpose. docs/errors.md draws them as a tree, from the docstrings here."""

import re


class AepError(Exception):
    """Base class. `str()` is a text for people: what is wrong and what to do, never a secret."""


class ConfigError(AepError):
    """A setting is missing or invalid."""


class LookupFailed(AepError):
    """A look-up by name found no object or several, or an id is that of no object (any more)."""


class ScopeMismatch(AepError):
    """The stack's config names another sandbox or organization than the one that holds the object."""


class DeletionProtected(AepError):
    """Something valuable would be lost: a dataset with data, or anything in a production sandbox."""


class OwnershipConflict(AepError):
    """An object to create or adopt belongs to somebody else, or cannot be changed to match the program."""


class Conflict(AepError):
    """Somebody else changed a managed field since the last `pulumi up` or `pulumi refresh`."""


class CredentialsRejected(AepError):
    """A base connection's credentials failed the test that the program asks for."""


class Incomplete(AepError):
    """An object exists, but a step that follows its creation failed; `outputs` are what differs from the program."""

    def __init__(self, text: str, outputs: dict[str, object]) -> None:
        self.outputs = outputs
        super().__init__(text)


class RunFailed(AepError):
    """The flow run that a `FirstRun` waits for failed, or did not end in time."""


class EngineGone(AepError):
    """The Pulumi engine that started this work has died; nothing more is written."""


class NotRepresentable(AepError):
    """No resource can represent this object; `str()` is the reason."""


class ServiceError(AepError):
    """A request failed.

    `request` is verb and path, without the query; `remedy` what to do next; `retry_after` the seconds that the service
    asks to wait, if it does; `tries_summary` how often the request was tried, empty after a single try. Only an
    ApiError has a `code`. `status` is 0 without a response of the service.
    """

    remedy = code = ""
    status = 0

    def __init__(self, request: str, text: str, retry_after: float | None = None, remedy: str = "") -> None:
        self.request, self.text, self.retry_after, self.tries_summary = request, text, retry_after, ""
        self.remedy = remedy or self.remedy
        super().__init__(f"{request}: {text}")

    def __str__(self) -> str:
        return "\n".join(filter(None, (super().__str__(), self.remedy, self.tries_summary)))


class RequestNotSent(ServiceError):
    """The request was certainly not processed: connection refused, unknown host."""

    remedy = "Nothing was changed: run the command again."


class ResponseLost(ServiceError):
    """The request was sent, but no response says whether it was processed.

    `status` is 401 if the response to a creation was that the access token is refused, else 0.
    """

    remedy = "The change may have been made: run the command again, it checks before it repeats anything."

    def __init__(self, request: str, text: str, remedy: str = "", status: int = 0) -> None:
        super().__init__(request, text, remedy=remedy)
        self.status = status


class UnexpectedResponse(ServiceError):
    """The response is not the service's, or about another object: HTML, broken JSON, a redirect."""

    remedy = "A proxy or a login page may have responded instead: check aep:endpoint and aep:imsEndpoint."


class ApiError(ServiceError):
    """The service refused the request.

    `status` is the HTTP status; `code` the service's code such as FLOW-1404-412, or empty; `message` its text;
    `request_id` what Adobe's support asks for.
    """

    remedy = "Fix what the message names, then run the command again."

    def __init__(
        self, request: str, status: int, code: str, message: str, request_id: str, retry_after: float | None = None
    ) -> None:
        self.status, self.code, self.message, self.request_id = status, code, message, request_id
        text = f"{status} {code}".rstrip() + f": {message}" + (f" (request id {request_id})" if request_id else "")
        super().__init__(request, text, retry_after, find_remedy(code, status))


class NotFound(ApiError):
    """The service says that this very object does not exist (404)."""

    remedy = "It, or something it refers to, was deleted or is in another sandbox: run pulumi refresh, then pulumi up."


class PreconditionFailed(ApiError):
    """The object changed since it was read (412)."""

    remedy = "Somebody else changed it: run pulumi refresh, review the changes, then pulumi up."


class InUse(ApiError):
    """Something else still needs the object."""


class NotDeletable(ApiError):
    """The service deletes no objects of this kind (405, where Adobe documents no DELETE)."""


IN_USE = {"FLOW-1418-400", "FLOW-1447-400"}
SANDBOX_NOT_FOUND = {"FLOW-2100-404", "FLOW-2101-404", "FLOW-2103-404", "FLOW-2106-404"}
UPSTREAM_CHECK_FAILED = {"FLOW-2200-500", "FLOW-2250-500"}
"""Flow Service could not ask Catalog or Data Prep while it checked a request; nothing was written."""

LAST_UP = "(pulumi refresh and destroy use the config of the last pulumi up, unless called with --run-program.)"
"""The engine keeps a provider's config in the state and uses it for verbs that do not run the program (measured)."""

_CODES = {  # remedy → HTTP statuses and service codes
    f"Check aep:clientId and aep:clientSecret (pulumi config set --secret). {LAST_UP}": (
        "401 FLOW-2114-400 FLOW-2115-400 invalid_client"
    ),
    "In the Admin Console, add the credential to a product profile that has this permission.": "403 FLOW-2119-400",
    "Too many requests: try again later, or raise aep:timeout.": "429",
    "The service is unavailable: try again later.": "500 502 503 504",
    # gateway and IMS
    "The access token is missing: check that no proxy removes the Authorization header.": "403010",
    "Check aep:orgId and aep:clientId: the credential must belong to the organization.": (
        "403000 403003 400003 FLOW-2000-401 FLOW-2001-401 FLOW-2002-401"
    ),
    "Adobe has no region for this organization: contact Adobe's support, with the request id.": "403027",
    "The credential does not have these scopes: check aep:scopes.": "invalid_scope",
    # Flow Service
    "The source refused, or the organization may not use it: check the credentials in auth.": "FLOW-1100-400",
    "mappingVersion must be a version that the mapping set has: use mapping.version.": "FLOW-1412-400",
    "The spec does not exist or does not fit the others: check connection_spec and flow_spec.": "FLOW-1413-400",
    "auth.spec_name must be one of the connection spec's auth specs.": "FLOW-1415-400",
    PreconditionFailed.remedy: "FLOW-1414-400 FLOW-1420-400 FLOW-1421-400 FLOW-1422-400 FLOW-1456-400",
    "The flow is being set up or removed: try again in a minute.": "FLOW-1416-400 FLOW-1457-400 FLOW-1458-400",
    "A flow still uses this connection: delete the flow first, or remove it from the program.": (
        "FLOW-1418-400 FLOW-1447-400"
    ),
    "Check mappings: each source must be in the data, each destination a field of the schema.": "FLOW-1419-400",
    "The mapping set and the target dataset must have the same schema: check schema_id of both.": "FLOW-1425-400",
    "Only an enabled flow with frequency once can run on demand; others run by their schedule.": "FLOW-1444-400",
    "Connections of this source cannot be updated: run pulumi up --replace with its URN.": "FLOW-1445-400",
    "The sandbox does not exist or is not open to this credential: check aep:sandbox.": (
        f"{' '.join(sorted(SANDBOX_NOT_FOUND))} FLOW-2105-400 FLOW-2112-400 FLOW-2113-400"
    ),
    "Flow Service could not check the dataset or mapping set: if it exists, try again later.": (
        "FLOW-2200-500 FLOW-2250-500"
    ),
    # Schema Registry
    "The Registry does not accept a field name: check fields.": (
        "XDM-1020-400 XDM-1021-400 XDM-1022-400 XDM-1023-400 XDM-1024-400"
    ),
    "Two field groups of the schema give one field different types: rename the field in yours.": "XDM-1413-400",
    "Titles are unique in a sandbox: choose another title, or use the existing object's id.": "XDM-1521-400",
    "Real-Time Customer Profile uses the schema and does not allow this change: create another schema.": (
        "XDM-1526-400 XDM-1527-400 XDM-1528-400"
    ),
    # requests that this package should not send
    "If the message names no argument of yours, this is a bug in pulumi-aep: please report it.": (
        "FLOW-14xx-400 FLOW-2110-400 XDM-1006-400 XDM-1007-400 XDM-3005-400 invalid_request unsupported_grant_type"
    ),
}

REMEDIES = {code: remedy for remedy, codes in _CODES.items() for code in codes.split()}
"""What to do next, by HTTP status or service code; `FLOW-14xx-400` stands for the codes that are not listed."""


def find_remedy(code: str, status: int) -> str:
    """What to do next; empty where only the class of the error knows."""
    family = re.sub(r"^FLOW-14\d\d-400$", "FLOW-14xx-400", code)
    return next((REMEDIES[key] for key in (code, family, str(status)) if key in REMEDIES), "")


_LINT = "Check it against sample rows: pulumi-aep explore {connection} --lint {flow}"

RUN_ERRORS = {
    "CONNECTOR-2001-500": ("reading from the source or writing the batch failed", "{again}"),
    "CONNECTOR-2001-500 copyActivity": (
        "the source could not be read",
        "Check that it is up and accepts the credentials: pulumi-aep test {connection}\n{again}",
    ),
    "CONNECTOR-2001-500 promotionActivity": ("the dataset refused records", _LINT),
    "INGEST-1211-400": (
        "the flow keeps no diagnostics about records that fail",
        'Set options={{"error_diagnostics_enabled": True}} on the flow (this replaces it), then wait for its next run.',
    ),
    "INGEST-1212-400": ("records lack required fields or have values of the wrong type", _LINT),
    "MAPPER-3700-400": ("a line of the mapping set failed and left its field empty", _LINT),
}
"""The errors of a flow run by code, or by code and activity: cause and remedy, with names to fill in."""
