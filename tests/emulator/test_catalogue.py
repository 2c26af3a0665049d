"""The catalogue of sources: whole, with a page each, and what is made up says so."""

import re
from typing import Any

import pytest

from pulumi_aep.emulator.flow_service import specs
from support.emulator import FLOW, Emulator
from support.refusal import refused

WAYS = [
    ("Snowflake", "KeyPair Authentication", ("privateKeyPassphrase",)),
    ("Salesforce", "OAuth2 Client Credential", ()),
    ("Salesforce", "OAuth2 JWT Token Credential", ()),
    ("Azure Event Hubs", "Event Hub Azure Active Directory Auth", ()),
    ("Google Cloud Storage", "Basic Authentication for google-cloud", ("bucketName", "folderPath")),
    ("Generic REST API", "oAuth2RefreshCode", ("clientId", "accessTokenUrl", "requestParameterOverride")),
    ("MySQL", "Basic Authentication", ("port", "sslMode")),
    ("MariaDB", "Basic Authentication", ()),
    ("PostgreSQL", "Basic Authentication", ("sslMode",)),
    ("Oracle DB", "Basic Authentication", ()),
    ("Snowflake", "Basic Authentication", ()),
    ("Amazon Redshift", "Basic Authentication", ("port", "schema")),
    ("Azure Synapse Analytics", "Service Principal Key Based Authentication", ()),
    ("Google BigQuery", "Service Authentication", ("largeResultsDataSetId",)),
    ("Azure Blob", "ConnectionString", ("container", "folderPath")),
    ("Azure Blob", "SAS URI Authentication", ("container", "folderPath")),
    ("Azure Blob", "Service Principal Based Authentication", ("container", "folderPath")),
    ("Amazon S3", "IAMRole Based", ()),
    ("SFTP", "Basic Authentication for sftp", ("disableChunking",)),
    ("Salesforce Service Cloud", "OAuth2 Client Credential", ()),
    ("Salesforce Marketing Cloud", "OAuth2 Client Credential", ()),
    ("Shopify", "Access Token Based", ()),
]
NAMES = {
    "Amazon Kinesis": "Amazon Kinesis",
    "Amazon Redshift": "amazon-redshift",
    "Amazon S3": "amazon-s3",
    "Azure Blob": "azure-blob",
    "Azure Data Lake Storage Gen2": "adls-gen2",
    "Azure Event Hubs": "Azure Event Hubs",
    "Azure File Storage": "azure-file-storage",
    "Data Landing Zone": "landing-zone",
    "Google Ads": "google-adwords",
    "Google BigQuery": "google-big-query",
    "Google Cloud Storage": "google-cloud",
    "HubSpot": "hubspot",
    "MariaDB": "maria-db",
    "Microsoft Dynamics": "dynamics-online",
    "Microsoft SQL Server": "sql-server",
    "MySQL": "mysql",
    "PostgreSQL": "postgre-sql",
    "SFTP": "sftp",
    "Salesforce": "salesforce",
    "Salesforce Service Cloud": "salesforce-service-cloud",
    "ServiceNow": "service-now",
}
"""The machine names that Adobe's pages show in answers of GET /connectionSpecs."""
HOME = """
    kinesis redshift databricks eventhub synapse-analytics bigquery google-pubsub snowflake-streaming snowflake ads
    mixpanel pendo-webhook rainfocus adls-gen2 blob s3 hdfs azure-file-storage data-landing-zone ftp google
    oracle-object-storage sftp didomi onetrust ms-dynamics salesforce sugarcrm-events veeva salesforce-service-cloud
    servicenow zendesk hive spark data-explorer ats greenplum hp-vertica ibm-db2 mariadb sql-server mysql oracle
    postgres teradata-vantage acxiom-data-ingestion acxiom-prospecting-data-import algolia-user-profiles bombora
    demandbase merkury sap-commerce shopify shopify-streaming capillary lava talon-one braze chatlio-webhook
    customerio-webhook hubspot mailchimp-members oracle-eloqua eloqua oracle-netsuite-entities pathfactory
    relay-connector salesforce-marketing-cloud sfmc square stripe http odata generic-rest
"""
"""The pages of the sources that Adobe's sources/home.md lists (2025, May 2026), without its own and the local file."""


@pytest.mark.parametrize("source", specs.SOURCES, ids=lambda source: str(source["label"]))
def test_a_source_is_documented_or_says_what_is_made_up(source: dict[str, Any]) -> None:
    assert re.match(r"(tutorials/(api|ui)|sources/connectors)/[\w./-]+\.md", source["page"])
    assert {*source.get("assumed", [])} <= {"flow", "auth", "params"}
    if "tutorials/api/create" not in source["page"]:  # no page shows its API
        assert {"id", "name", "flow", "auth"} <= specs.assumed(source)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", specs.spec_id(source))
    spec = specs.CONNECTION_SPECS[specs.spec_id(source)]
    assert specs.kind(spec["id"]) != "nothing"
    assert {flow["name"] for flow in specs.FLOW_SPECS.values() if spec["id"] in flow["sourceConnectionSpecIds"]} == {
        *source["flow"]
    }


def test_every_source_of_adobes_list_is_here() -> None:
    pages = {stem for source in specs.SOURCES for stem in re.findall(r"([\w-]+)\.md", source["page"])}
    assert {*HOME.split()} - pages == set()


def test_machine_names_are_those_of_adobes_pages() -> None:
    """Every other name is made up, and says so."""
    named = {source["label"]: source["name"] for source in specs.SOURCES if "name" not in specs.assumed(source)}
    assert named == NAMES
    assert all("name" in source["page"] for source in specs.SOURCES if source["label"] in NAMES), "no provenance"


def test_no_two_sources_are_the_same() -> None:
    for values in ([specs.spec_id(source) for source in specs.SOURCES], [source["label"] for source in specs.SOURCES]):
        assert len(values) == len(set(values))
    assert len(specs.CONNECTION_SPECS) == len(specs.SOURCES) + 1  # the data lake


@pytest.mark.parametrize(("label", "way", "optional"), WAYS, ids=lambda value: str(value))
def test_ways_to_authenticate(emulator: Emulator, label: str, way: str, optional: tuple[str, ...]) -> None:
    spec = next(spec for spec in specs.CONNECTION_SPECS.values() if specs.label(spec) == label)
    schema = next(each["spec"] for each in spec["authSpec"] if each["name"] == way)
    assert {*optional} <= {*schema["properties"]} - {*schema["required"]}
    body: dict[str, Any] = {"name": "x", "connectionSpec": {"id": spec["id"], "version": "1.0"}}
    auth: dict[str, Any] = {"specName": way, "params": dict.fromkeys(schema["required"], "x")}
    assert emulator.request("POST", f"{FLOW}/connections", body | {"auth": auth}).status_code == 201
    auth["params"] = auth["params"] | {"nosuch": "x"}
    refused(
        emulator.request("POST", f"{FLOW}/connections", body | {"auth": auth}), "flow_service.auth_params", "nosuch"
    )


def test_source_params_and_formats_are_checked(emulator: Emulator) -> None:
    """By the schema of the category, the source's own parameters included."""
    stripe = next(spec for spec in specs.CONNECTION_SPECS.values() if specs.label(spec) == "Stripe")
    ref = {"id": stripe["id"], "version": "1.0"}
    auth = {"specName": "OAuth2 Refresh Code", "params": {"accessToken": "x"}}
    base = emulator.request("POST", f"{FLOW}/connections", {"connectionSpec": ref, "auth": auth}).json()["id"]
    body = {"name": "x", "connectionSpec": ref, "baseConnectionId": base, "data": {"format": "json"}}
    for params in ({}, {"resourcePath": "nosuch"}, {"resourcePath": "charges", "nosuch": "x"}):
        answer = emulator.request("POST", f"{FLOW}/sourceConnections", body | {"params": params})
        refused(answer, "flow_service.params", "params")
    fine = body | {"params": {"resourcePath": "charges"}}
    tabular = fine | {"data": {"format": "tabular"}}
    refused(emulator.request("POST", f"{FLOW}/sourceConnections", tabular), "flow_service.format", "Stripe: json")
    assert emulator.request("POST", f"{FLOW}/sourceConnections", fine).status_code == 201
    del fine["data"]
    assert emulator.request("POST", f"{FLOW}/sourceConnections", fine).status_code == 201


def test_tables_need_a_format(emulator: Emulator) -> None:
    source = next(spec for spec in specs.CONNECTION_SPECS.values() if specs.label(spec) == "Data Landing Zone")
    body = {"name": "x", "connectionSpec": {"id": source["id"], "version": "1.0"}, "params": {"path": "a.csv"}}
    answer = emulator.request("POST", f"{FLOW}/sourceConnections", body)
    refused(answer, "flow_service.format", "delimited, json, parquet")
