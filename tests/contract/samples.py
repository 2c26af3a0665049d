"""The tutorial's own requests and responses (braces filled in), as far as a contract can be read from them."""

from typing import Any

from support.emulator import MIXPANEL, REST_TO_AEP

Json = dict[str, Any]

BASE_CONNECTION: Json = {
    "name": "Mixpanel base connection",
    "description": "Mixpanel base connection to authenticate to Platform",
    "connectionSpec": MIXPANEL,
    "auth": {
        "specName": "Basic Authentication",
        "params": {"host": "https://data.mixpanel.com", "username": "user", "password": "secret"},
    },
}
CREATED: Json = {"id": "70383d02-2777-4be7-a309-9dd6eea1b46d", "etag": '"d64c8298-add4-4667-9a49-28195b2e2a84"'}

# The printed call carries {"listId": "10c097ca71"}, left over from another source; the text has the right value.
SOURCE_PARAMS_PRINTED = "eyJsaXN0SWQiOiIxMGMwOTdjYTcxIn0="
SOURCE_PARAMS = "eyJwcm9qZWN0SWQiOiIyNjcxMTI3IiwidGltZXpvbmUiOiJQYWNpZmljIFN0YW5kYXJkIFRpbWUifQ=="
EXPLORE = {"objectType": "rest", "object": "json", "fileType": "json", "preview": "true"}
_INTEGER: Json = {"type": "integer", "minimum": -9007199254740992, "maximum": 9007199254740991}
_TEXT: Json = {"type": "string"}
EXPLORED: Json = {
    "format": "hierarchical",
    "schema": {
        "type": "object",
        "properties": {
            "event": _TEXT,
            "properties": {
                "type": "object",
                "properties": {
                    "$mp_api_endpoint": _TEXT,
                    "$insert_id": _TEXT,
                    "item_id": _TEXT,
                    "distinct_id": _TEXT,
                    "$mp_api_timestamp_ms": _INTEGER,
                    "item_price": _TEXT,
                    "$import": {"type": "boolean"},
                    "item_name": _TEXT,
                    "time": _INTEGER,
                    "mp_processing_time_ms": _INTEGER,
                },
            },
        },
    },
    "data": [
        {
            "event": "Items purchased",
            "properties": {
                "time": 1652825148,
                "distinct_id": "test@test.com",
                "$insert_id": "935d87b1-00cd-41b7-be34-b9d98dd08b70",
                "$mp_api_endpoint": "api.mixpanel.com",
                "$mp_api_timestamp_ms": 1652850348643,
                "item_id": "29066",
                "item_name": "charger",
                "item_price": "800.00",
                "mp_processing_time_ms": 1652850348702,
            },
        }
    ],
}

SOURCE_CONNECTION: Json = {
    "name": "Mixpanel source connection",
    "description": "Mixpanel source connection",
    "connectionSpec": MIXPANEL,
    "data": {"format": "json"},
    "params": {"projectId": "2384945", "timezone": "Pacific Standard Time"},
}

# As printed: curl and property table name Mixpanel's spec, the prose the data lake's; data has no schema.
TARGET_CONNECTION_PRINTED: Json = {
    "name": "{Mixpanel} Target Connection",
    "description": "{Mixpanel} Target Connection",
    "connectionSpec": MIXPANEL,
    "data": {"format": "json"},
    "params": {"dataSetId": "5ef4551c52e054191a61a99f"},
}

COLUMNS = {
    "distinct_id": "string",
    "event_name": "string",
    "import": "boolean",
    "insert_id": "string",
    "item_id": "string",
    "item_name": "string",
    "item_price": "string",
    "mp_api_endpoint": "string",
    "mp_api_timestamp_ms": "integer",
    "mp_processing_time_ms": "integer",
    "time": "integer",
}
MAPPING_SET: Json = {
    "version": 0,
    "xdmVersion": "1.0",
    "id": None,
    "mappings": [
        {"sourceType": "ATTRIBUTE", "source": f"data.{name}", "destination": f"_extconndev.{name}"} for name in COLUMNS
    ],
}
MAPPING_SET["mappings"][0] |= {"name": "distinct_id", "description": "Mixpanel"}
MAPPED: Json = {
    "id": "bf5286a9c1ad4266baca76ba3adc9366",
    "version": 0,
    "createdDate": 1597784069368,
    "modifiedDate": 1597784069368,
    "createdBy": "{CREATED_BY}",
    "modifiedBy": "{MODIFIED_BY}",
}

FLOW_BODY: Json = {
    "name": "{Mixpanel} dataflow",
    "description": "{Mixpanel} dataflow",
    "flowSpec": REST_TO_AEP,
    "scheduleParams": {"startTime": "1625040887", "frequency": "minute", "interval": 15},
}
FLOW_PATCH: list[Json] = [
    {"op": "replace", "path": "/scheduleParams/frequency", "value": "day"},
    {"op": "replace", "path": "/name", "value": "New dataflow name"},
    {"op": "replace", "path": "/description", "value": "Updated dataflow description"},
]

# The tutorial's sample is Salesforce's, whose params hold a security token.
CONNECTION_PATCH: list[Json] = [
    {
        "op": "replace",
        "path": "/auth/params",
        "value": {"username": "salesforce-connector-username", "password": "new", "securityToken": "new"},
    },
    {"op": "replace", "path": "/name", "value": "Test salesforce connection"},
    {"op": "add", "path": "/description", "value": "A test salesforce connection"},
]

_SUMMARY: Json = {
    "durationSummary": {"startedAtUTC": 1596656058198, "completedAtUTC": 1596656113306},
    "sizeSummary": {"inputBytes": 24012, "outputBytes": 17128},
    "fileSummary": {"inputFileCount": 1, "outputFileCount": 1},
}
_RECORDS: Json = {"inputRecordCount": 100, "outputRecordCount": 99, "failedRecordCount": 1}
RUNS: Json = {
    "items": [
        {
            "createdAt": 1596656079576,
            "updatedAt": 1596656113526,
            "createdBy": "{CREATED_BY}",
            "updatedBy": "{UPDATED_BY}",
            "createdClient": "{CREATED_CLIENT}",
            "updatedClient": "{UPDATED_CLIENT}",
            "sandboxId": "1bd86660-c5da-11e9-93d4-6d5fc3a66a8e",
            "sandboxName": "prod",
            "id": "9830305a-985f-47d0-b030-5a985fd7d004",
            "flowId": "993f908f-3342-4d9c-9f3c-5aa9a189ca1a",
            "etag": '"510bb1d4-8453-4034-b991-ab942e11dd8a"',
            "metrics": {
                **_SUMMARY,
                "fileSummary": {"inputFileCount": 1, "outputFileCount": 1, "activityRefs": ["promotionActivity"]},
                "recordSummary": _RECORDS,
                "statusSummary": {
                    "status": "success",
                    "errors": [{"code": "CONNECTOR-2001-500", "message": "…"}],
                    "activityRefs": ["promotionActivity"],
                },
            },
            "activities": [
                {
                    **_SUMMARY,
                    "id": "copyActivity",
                    "updatedAtUTC": 1596656095088,
                    "recordSummary": {},
                    "statusSummary": {"status": "success"},
                    "sourceInfo": [
                        {
                            "id": "c0e18602-f9ea-44f9-a186-02f9ea64f9ac",
                            "type": "SourceConnection",
                            "reference": {"type": "AdfRunId", "ids": ["8a8eb0cc-e283-4605-ac70-65a5adb1baef"]},
                        }
                    ],
                },
                {
                    **_SUMMARY,
                    "id": "promotionActivity",
                    "updatedAtUTC": 1596656113485,
                    "recordSummary": _RECORDS,
                    "statusSummary": {"status": "success"},
                    "targetInfo": [
                        {
                            "id": "47166b83-01c7-4b65-966b-8301c70b6562",
                            "type": "TargetConnection",
                            "reference": {"type": "Batch", "ids": ["01EF01X41KJD82Y9ZX6ET54PCZ"]},
                        }
                    ],
                },
            ],
        }
    ],
    "_links": {},
}
