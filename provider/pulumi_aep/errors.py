"""Every error that this package raises on purpose.

AepError
├── ConfigError          a setting is missing or wrong
├── LookupFailed         a look-up by name found none or several, or get() found nothing
├── WrongHome            the object lives in another sandbox or organization than the stack's config names
├── Conflict             somebody else changed a managed field since the last `pulumi up`
├── Untested             a base connection's credentials did not pass the test that the program wants
├── RunFailed            a gate stays closed: the flow's run did not end well, or none ended in time
├── EngineGone           the Pulumi engine that asked for this work has died: nothing more is written
├── Inexpressible        an object that none of our resources can say
└── ServiceError         talking to a service failed: verb, path and request id
    ├── NotSent          the request certainly was not processed (connection refused, unknown host)
    ├── NoAnswer         sent, but no answer came: it may or may not have been processed
    ├── UnexpectedAnswer an answer that is not the service's (HTML, broken JSON, a redirect)
    └── ApiError         the service's own refusal: HTTP status, code, message
        ├── NotFound     404 for that very object
        ├── Stale        412: the object changed since it was read
        └── InUse        something else still needs the object
"""


class AepError(Exception):
    """Base of the family; `str()` is a text for people, with what to do next, and never holds a secret."""


class ConfigError(AepError):
    """A setting is missing or wrong."""


class LookupFailed(AepError):
    """A look-up by name or title found none or several, or `get` found nothing by that id."""


class WrongHome(AepError):
    """The object lives in another sandbox or organization than the stack's config names."""


class Guarded(AepError):
    """Refused, because something valuable would be lost."""


class Claimed(AepError):
    """An object that this stack would make or adopt belongs to somebody else, or cannot become what is wanted."""


class Conflict(AepError):
    """Somebody else changed a managed field since the last `pulumi up` or `pulumi refresh`."""


class Untested(AepError):
    """A base connection's credentials did not pass the test that the program wants."""


class RunFailed(AepError):
    """A gate stays closed: the flow's run did not end well, or none ended in time."""


class EngineGone(AepError):
    """The Pulumi engine that asked for this work has died."""


class Inexpressible(AepError):
    """An object of the service that none of our resources can say; `str()` is the reason."""


class ServiceError(AepError):
    """Talking to a service failed.

    `request` is verb and path, without query; `retry_after` the seconds that the service asked to wait, if any;
    `outlook` says how often it was tried, where it was more than once or could not be more.
    """

    def __init__(self, request: str, text: str, retry_after: float | None = None) -> None:
        self.request, self.retry_after, self.outlook = request, retry_after, ""
        super().__init__(f"{request}: {text}")

    def __str__(self) -> str:
        return "\n".join(filter(None, (super().__str__(), self.outlook)))


class NotSent(ServiceError):
    """The request certainly was not processed."""


class NoAnswer(ServiceError):
    """The request was sent and no answer came."""


class UnexpectedAnswer(ServiceError):
    """An answer that is not the service's own."""


class ApiError(ServiceError):
    """The service's own refusal.

    `status` is the HTTP status, `code` the service's code such as FLOW-1404-412 (empty if it gave none), `message`
    its text, `request_id` what Adobe's support asks for.
    """

    remedy = ""

    def __init__(
        self, request: str, status: int, code: str, message: str, request_id: str, retry_after: float | None = None
    ) -> None:
        self.status, self.code, self.message = status, code, message
        self.request_id = request_id
        text = f"{status} {code}: {message}" if code else f"{status}: {message}"
        if request_id:
            text += f" (request id {request_id})"
        remedy = REMEDIES.get(code) or REMEDIES.get(str(status)) or self.remedy
        super().__init__(request, f"{text}\n{remedy}" if remedy else text, retry_after)


class NotFound(ApiError):
    """The service's own 404 for that object."""

    remedy = "It, or what it names, was deleted or lives in another sandbox: run pulumi refresh, then pulumi up."


class Stale(ApiError):
    """412: the etag sent is not the current one."""


class InUse(ApiError):
    """Something else still needs the object."""


IN_USE = {"FLOW-1418-400", "FLOW-1447-400"}
SANDBOX_NOT_FOUND = {"FLOW-2100-404", "FLOW-2101-404", "FLOW-2103-404", "FLOW-2106-404"}
UPSTREAM_CHECK_FAILED = {"FLOW-2200-500", "FLOW-2250-500"}
"""Flow Service could not ask Catalog or Data Prep while it checked a request; nothing was written."""

LAST_UP = "(refresh and destroy go by the config of the last pulumi up, unless called with --run-program.)"
"""The engine keeps a provider's config in the state and gives it to verbs that do not run the program (measured)."""

_CREDENTIALS = f"check aep:clientId and aep:clientSecret (pulumi config set --secret). {LAST_UP}"

REMEDIES = {
    "401": f"The access token was refused: {_CREDENTIALS}",
    "401013": f"The access token was refused: {_CREDENTIALS}",
    "403003": "The client id is not known to this organization: check aep:clientId and aep:orgId.",
    "403025": "The credential has no product profile: add it to one in the Admin Console.",
    "429": "The service asks for fewer calls: run again later, or give it more time with aep:timeout.",
    "invalid_client": f"IMS does not know this client id and secret: {_CREDENTIALS}",
    "FLOW-1404-412": "Somebody else changed it meanwhile: run pulumi refresh, look at the changes, then pulumi up.",
    "FLOW-1415-400": "auth.spec_name must be one of the connection spec's own names.",
    "FLOW-1418-400": "Flows still use this base connection: delete them first, or remove them from the program.",
    "FLOW-1425-400": "The mapping set and the target dataset must have the same schema: check schema_id of both.",
    "FLOW-1444-400": "Only an enabled flow with the frequency once can be run on demand; others run by their schedule.",
    "FLOW-1447-400": "A flow still uses this connection: delete it first, or remove it from the program.",
    "XDM-1521-400": "Titles are unique in a sandbox: choose another title, or use the existing object's id.",
    **dict.fromkeys(SANDBOX_NOT_FOUND, "The sandbox is not there or not open to this credential: check aep:sandbox."),
}
"""What to do next, by service code or else by HTTP status."""

RUN_REMEDIES = {
    "CONNECTOR-2001-500": "The copy from the source or the writing of the batch failed; start the flow again.",
    "CONNECTOR-2001-500 copyActivity": "The source could not be read. See whether it takes the credentials (pulumi-aep "
    "test CONNECTION) and is up; then start the flow again (pulumi-aep run FLOW) or wait for its next run.",
    "CONNECTOR-2001-500 promotionActivity": "Records were refused on their way into the dataset: compare the mapping "
    "set with the data and the schema (pulumi-aep explore CONNECTION --lint FLOW).",
    "INGEST-1212-400": "Records lack what the schema requires, such as _id and timestamp of an event, or do not have "
    "its types. The batch in Catalog holds the reasons.",
    "MAPPER-3700-400": "An expression or a conversion of the mapping set failed on these records and left their fields "
    "empty: guard it against empty and odd values, or change the type in the schema.",
}
"""What to do about the errors of a flow run, by code (and activity where that says more)."""
