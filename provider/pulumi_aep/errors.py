"""Every error that this package raises on purpose.

AepError
├── ConfigError            a setting is missing or wrong
├── LookupFailed           a look-up by name found none or several, or get() found nothing
├── ScopeMismatch          the object lives in another sandbox or organization than the stack's config names
├── DeletionProtected      something valuable would be lost: a dataset with data, a production sandbox
├── OwnershipConflict      an object to be taken is somebody else's, or cannot become what is wanted
├── Conflict               somebody else changed a managed field since the last `pulumi up`
├── CredentialsRejected    a base connection's credentials did not pass the test that the program wants
├── RunFailed              a gate stays closed: the flow's run did not end well, or none ended in time
├── EngineGone             the Pulumi engine that asked for this work has died: nothing more is written
├── NotRepresentable       an object that none of our resources can say
└── ServiceError           talking to a service failed: verb, path and request id
    ├── RequestNotSent     the request certainly was not processed (connection refused, unknown host)
    ├── ResponseLost       sent, but no answer came: it may or may not have been processed
    ├── UnexpectedAnswer   an answer that is not the service's (HTML, broken JSON, a redirect)
    └── ApiError           the service's own refusal: HTTP status, code, message
        ├── NotFound       404 for that very object
        ├── PreconditionFailed  412: the object changed since it was read
        └── InUse          something else still needs the object
"""


class AepError(Exception):
    """Base of the family; `str()` is a text for people, with what to do next, and never holds a secret."""


class ConfigError(AepError):
    """A setting is missing or wrong."""


class LookupFailed(AepError):
    """A look-up by name or title found none or several, or `get` found nothing by that id."""


class ScopeMismatch(AepError):
    """The object lives in another sandbox or organization than the stack's config names."""


class DeletionProtected(AepError):
    """Refused, because something valuable would be lost."""


class OwnershipConflict(AepError):
    """An object that this stack would make or adopt belongs to somebody else, or cannot become what is wanted."""


class Conflict(AepError):
    """Somebody else changed a managed field since the last `pulumi up` or `pulumi refresh`."""


class CredentialsRejected(AepError):
    """A base connection's credentials did not pass the test that the program wants."""


class RunFailed(AepError):
    """A gate stays closed: the flow's run did not end well, or none ended in time."""


class EngineGone(AepError):
    """The Pulumi engine that asked for this work has died."""


class NotRepresentable(AepError):
    """An object of the service that none of our resources can say; `str()` is the reason."""


class ServiceError(AepError):
    """Talking to a service failed.

    `request` is verb and path, without query; `remedy` what to do next; `retry_after` the seconds that the service
    asked to wait, if any; `outlook` says how often it was tried, where it was more than once or could not be more.
    """

    remedy = ""

    def __init__(self, request: str, text: str, retry_after: float | None = None, remedy: str = "") -> None:
        self.request, self.text, self.retry_after, self.outlook = request, text, retry_after, ""
        self.remedy = remedy or self.remedy
        super().__init__(f"{request}: {text}")

    def __str__(self) -> str:
        return "\n".join(filter(None, (super().__str__(), self.remedy, self.outlook)))


class RequestNotSent(ServiceError):
    """The request certainly was not processed."""

    remedy = "Nothing was changed by it: run the same again."


class ResponseLost(ServiceError):
    """The request was sent and no answer came."""

    remedy = "Whether it was done, the next run finds out: run the same again."


class UnexpectedAnswer(ServiceError):
    """An answer that is not the service's own."""

    remedy = "Did something on the way answer, a proxy or a login page? Check aep:endpoint and aep:imsEndpoint."


class ApiError(ServiceError):
    """The service's own refusal.

    `status` is the HTTP status, `code` the service's code such as FLOW-1404-412 (empty if it gave none), `message`
    its text, `request_id` what Adobe's support asks for.
    """

    remedy = "Correct what the text names, and run the same again."

    def __init__(
        self, request: str, status: int, code: str, message: str, request_id: str, retry_after: float | None = None
    ) -> None:
        self.status, self.code, self.message = status, code, message
        self.request_id = request_id
        text = f"{status} {code}: {message}" if code else f"{status}: {message}"
        if request_id:
            text += f" (request id {request_id})"
        super().__init__(request, text, retry_after, REMEDIES.get(code) or REMEDIES.get(str(status), ""))


class NotFound(ApiError):
    """The service's own 404 for that object."""

    remedy = "It, or what it names, was deleted or lives in another sandbox: run pulumi refresh, then pulumi up."


class PreconditionFailed(ApiError):
    """412: the etag sent is not the current one."""

    remedy = "Somebody else changed it meanwhile: run pulumi refresh, look at the changes, then pulumi up."


class InUse(ApiError):
    """Something else still needs the object."""


IN_USE = {"FLOW-1418-400", "FLOW-1447-400"}
SANDBOX_NOT_FOUND = {"FLOW-2100-404", "FLOW-2101-404", "FLOW-2103-404", "FLOW-2106-404"}
UPSTREAM_CHECK_FAILED = {"FLOW-2200-500", "FLOW-2250-500"}
"""Flow Service could not ask Catalog or Data Prep while it checked a request; nothing was written."""

LAST_UP = "(refresh and destroy go by the config of the last pulumi up, unless called with --run-program.)"
"""The engine keeps a provider's config in the state and gives it to verbs that do not run the program (measured)."""

_CREDENTIALS = f"check aep:clientId and aep:clientSecret (pulumi config set --secret). {LAST_UP}"

_BY_CODE = (
    ("401 401013 FLOW-2114-400 FLOW-2115-400", f"The access token was refused: {_CREDENTIALS}"),
    (
        "403 FLOW-2111-403 FLOW-2118-403 FLOW-2119-400 FLOW-2120-403 FLOW-2121-403 XDM-2010-403",
        "The credential may not do this: have the permission added to its product profile in the Admin Console.",
    ),
    ("429 429050", "The service asks for fewer calls: run again later, or give it more time with aep:timeout."),
    (
        "500 502 503 504 FLOW-1102-500 FLOW-1103-503 FLOW-1104-504 FLOW-1400-500 FLOW-2102-500 FLOW-2104-500 "
        "FLOW-2107-500 FLOW-2108-500 FLOW-2116-500 FLOW-2117-500",
        "The service is not well at the moment: run the same again later.",
    ),
    # gateway and IMS
    ("403010", "No access token arrived: does a proxy on the way remove the Authorization header?"),
    ("403000", "No client id arrived: check aep:clientId."),
    ("403003", "The client id is not known to this organization: check aep:clientId and aep:orgId."),
    ("400003 FLOW-2001-401 FLOW-2002-401", "No organization arrived: check aep:orgId."),
    ("403025", "The credential has no product profile: add it to one in the Admin Console."),
    ("403027", "The organization has no region for this credential: ask Adobe's support, with the request id."),
    ("invalid_client", f"IMS does not know this client id and secret: {_CREDENTIALS}"),
    ("invalid_scope", "The credential does not have these scopes: check aep:scopes."),
    # Flow Service
    ("FLOW-1100-400", "The source refused, or the organization may not use it: check the credentials in auth."),
    ("FLOW-1412-400", "mappingVersion must be a version that the mapping set has: use mapping.version."),
    ("FLOW-1413-400", "The spec does not exist or does not fit the others: check connection_spec and flow_spec."),
    ("FLOW-1415-400", "auth.spec_name must be one of the connection spec's own names."),
    (
        "FLOW-1414-400 FLOW-1420-400 FLOW-1421-400 FLOW-1422-400 FLOW-1456-400",
        "It was changed elsewhere: run pulumi refresh, look at the changes, then pulumi up.",
    ),
    (
        "FLOW-1416-400 FLOW-1457-400 FLOW-1458-400",
        "The flow is being set up or taken down at this moment: run the same again in a minute.",
    ),
    ("FLOW-1418-400", "Flows still use this base connection: delete them first, or remove them from the program."),
    ("FLOW-1419-400", "Check mappings: each source must be in the data, each destination a field of the schema."),
    ("FLOW-1425-400", "The mapping set and the target dataset must have the same schema: check schema_id of both."),
    (
        "FLOW-1444-400",
        "Only an enabled flow with the frequency once can be run on demand; others run by their schedule.",
    ),
    ("FLOW-1445-400", "Connections of this source do not change in place: pulumi up --replace with its URN."),
    ("FLOW-1447-400", "A flow still uses this connection: delete it first, or remove it from the program."),
    ("FLOW-2000-401", "The credential does not belong to this organization: check aep:orgId and aep:clientId."),
    (
        " ".join(sorted(SANDBOX_NOT_FOUND)),
        "The sandbox is not there or not open to this credential: check aep:sandbox.",
    ),
    ("FLOW-2105-400 FLOW-2112-400 FLOW-2113-400", "No sandbox has such a name: check aep:sandbox."),
    ("FLOW-2200-500", "Flow Service could not check the dataset: if it is there with its schema, run again later."),
    ("FLOW-2250-500", "Flow Service could not check the mapping: if the mapping set is there, run again later."),
    # Schema Registry
    ("XDM-1020-400 XDM-1021-400 XDM-1022-400 XDM-1023-400 XDM-1024-400", "The Registry refuses a name: check fields."),
    ("XDM-1413-400", "Two field groups of the schema give one field different types: rename the field in yours."),
    ("XDM-1521-400", "Titles are unique in a sandbox: choose another title, or use the existing object's id."),
    (
        "XDM-1526-400 XDM-1527-400 XDM-1528-400",
        "Real-Time Customer Profile uses the schema and bars this change: make another schema.",
    ),
    # requests that this package does not send
    (
        "invalid_request unsupported_grant_type FLOW-1401-400 FLOW-1402-400 FLOW-1403-400 FLOW-1405-400 FLOW-1406-400 "
        "FLOW-1407-400 FLOW-1408-400 FLOW-1409-400 FLOW-1410-400 FLOW-1411-400 FLOW-1417-400 FLOW-1426-400 "
        "FLOW-1427-400 FLOW-1428-400 FLOW-1429-400 FLOW-1430-400 FLOW-1432-400 FLOW-1433-400 FLOW-1434-400 "
        "FLOW-1435-400 FLOW-1436-400 FLOW-1437-400 FLOW-1440-400 FLOW-1441-400 FLOW-1442-400 FLOW-1443-400 "
        "FLOW-1446-400 FLOW-1448-400 FLOW-1449-400 FLOW-1450-400 FLOW-1451-400 FLOW-1452-400 FLOW-1453-400 "
        "FLOW-1454-400 FLOW-1455-400 FLOW-2110-400 XDM-1006-400 XDM-1007-400 XDM-3005-400",
        "This request is a mistake of pulumi-aep itself: please report it, with this message.",
    ),
)

REMEDIES = {code: remedy for codes, remedy in _BY_CODE for code in codes.split()}
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
