"""Well-known ids: they are the same in every organization.

Taken from the tutorial and from Adobe's documentation of each source; other specs are found by name with
`get_connection_spec` and `get_flow_spec`.
"""


class ConnectionSpec:
    """Ids of connection specs, one for each kind of source, and the data lake as the target."""

    DATA_LAKE = "c604ff05-7f1a-43c0-8e18-33bf874cb11c"
    AMAZON_KINESIS = "86043421-563b-46ec-8e6c-e23184711bf6"
    AMAZON_REDSHIFT = "3416976c-a9ca-4bba-901a-1f08f66978ff"
    AMAZON_S3 = "ecadc60c-7455-4d87-84dc-2a0e293d997b"
    APACHE_HIVE_ON_AZURE_HDINSIGHTS = "aac9bbd4-6c01-46ce-b47e-51c6f0f6db3f"
    APACHE_SPARK_ON_AZURE_HDINSIGHTS = "6a8d82bc-1caf-45d1-908d-cadabc9d63a6"
    AZURE_BLOB = "4c10e202-c428-4796-9208-5f1f5732b1cf"
    AZURE_DATABRICKS = "e9d7ec6b-0873-4e57-ad21-b3a7c65e310b"
    AZURE_DATA_EXPLORER = "0479cc14-7651-4354-b233-7480606c2ac3"
    AZURE_DATA_LAKE_STORAGE_GEN2 = "b3ba5556-48be-44b7-8b85-ff2b69b46dc4"
    AZURE_EVENT_HUBS = "bf9f5905-92b7-48bf-bf20-455bc6b60a4e"
    AZURE_FILE_STORAGE = "be5ec48c-5b78-49d5-b8fa-7c89ec4569b8"
    AZURE_SYNAPSE_ANALYTICS = "a49bcc7d-8038-43af-b1e4-5a7a089a7d79"
    AZURE_TABLE_STORAGE = "ecde33f2-c56f-46cc-bdea-ad151c16cd69"
    COUCHBASE = "1fe283f6-9bec-11ea-bb37-0242ac130002"
    DATA_LANDING_ZONE = "26f526f2-58f4-4712-961d-e41bf1ccc0e8"
    FTP = "fb2e94c9-c031-467d-8103-6bd6e0a432f2"
    GENERIC_ODATA = "8e6b41a8-d998-4545-ad7d-c6a9fff406c3"
    GENERIC_REST_API = "4e98f16f-87d6-4ef0-bdc6-7a2b0fe76e62"
    GOOGLE_ADS = "d771e9c1-4f26-40dc-8617-ce58c4b53702"
    GOOGLE_BIGQUERY = "3c9b37f8-13a6-43d8-bad3-b863b941fedd"
    GOOGLE_CLOUD_STORAGE = "32e8f412-cdf7-464c-9885-78184cb113fd"
    GOOGLE_PUBSUB = "70116022-a743-464a-bbfe-e226a7f8210c"
    GREENPLUM = "37b6bf40-d318-4655-90be-5cd6f65d334b"
    HDFS = "54e221aa-d342-4707-bcff-7a4bceef0001"
    HP_VERTICA = "a8b6a1a4-5735-42b4-952c-85dce0ac38b5"
    HTTP_API = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb"
    HUBSPOT = "cc6a4487-9e91-433e-a3a3-9cf6626c1806"
    IBM_DB2 = "09182899-b429-40c9-a15a-bf3ddbc8ced7"
    MAILCHIMP_MEMBERS = "2e8580db-6489-4726-96de-e33f5f60295f"
    MARIADB = "3000eb99-cd47-43f3-827c-43caf170f015"
    MICROSOFT_DYNAMICS = "38ad80fe-8b06-4938-94f4-d4ee80266b07"
    MICROSOFT_SQL_SERVER = "1f372ff9-38a4-4492-96f5-b9a4e4bd00ec"
    MIXPANEL = "fd2c8ff3-1de0-4f6b-8fa8-4264784870eb"
    MYSQL = "26d738e0-8963-47ea-aadf-c60de735468a"
    ORACLE_DB = "d6b52d86-f0f8-475f-89d4-ce54c8527328"
    ORACLE_ELOQUA = "35d6c4d8-c9a9-11eb-b8bc-0242ac130003"
    ORACLE_OBJECT_STORAGE = "c85f9425-fb21-426c-ad0b-405e9bd8a46c"
    PAYPAL = "221c7626-58f6-4eec-8ee2-042b0226f03b"
    PHOENIX = "102706fb-a5cd-42ee-afe0-bc42f017ff43"
    POSTGRESQL = "74a1c565-4e59-48d7-9d67-7c03b8a13137"
    SALESFORCE = "cfc0fee1-7dc0-40ef-b73e-d8b134c436f5"
    SALESFORCE_MARKETING_CLOUD = "ea1c2a08-b722-11eb-8529-0242ac130003"
    SALESFORCE_SERVICE_CLOUD = "cb66ab34-8619-49cb-96d1-39b37ede86ea"
    SERVICENOW = "eb13cb25-47ab-407f-ba89-c0125281c563"
    SFTP = "b7bf2577-4520-42c9-bae9-cad01560f7bc"
    SHOPIFY = "4f63aa36-bd48-4e33-bb83-49fbcd11c708"
    SNOWFLAKE = "b2e08744-4f1a-40ce-af30-7abac3e23cf3"
    SQUARE = "2acf109f-9b66-4d5e-bc18-ebb2adcff8d5"
    STRIPE = "cc2c31d6-7b8c-4581-b49f-5c8698aa3ab3"
    TERADATA_VANTAGE = "2fa8af9c-2d1a-43ea-a253-f00a00c74412"
    ZENDESK = "0a27232b-2c6e-4396-b8c6-c9fc24e37ba4"
    ZOHO_CRM = "929e4450-0237-4ed2-9404-b7e1e0a00309"


class FlowSpec:
    """Ids of flow specs, one for each way in which data comes in."""

    REST_STORAGE_TO_AEP = "6499120c-0b15-42dc-936e-847ea3c24d72"
    """Mixpanel and every other source that is a generic REST service."""

    CRM_TO_AEP = "14518937-270c-4525-bdec-c2ba7cce3860"
    """CRM systems, databases, marketing automation."""

    CLOUD_STORAGE_TO_AEP = "9753525b-82c7-4dce-8a9b-5ccfce2b9876"
    """Files in cloud storage."""

    STREAMING_WITH_TRANSFORMATION = "c1a19761-d2c7-4702-b9fa-fe91f0613e81"
    """The HTTP API with a mapping set."""

    STREAMING_WITHOUT_TRANSFORMATION = "d8a6f005-7eaf-4153-983e-e8574508b877"
    """The HTTP API with data that is XDM already."""

    CLOUD_STREAMING = "d69717ba-71b4-4313-b654-49f9cf126d7a"
    """Amazon Kinesis, Azure Event Hubs, Google PubSub."""

    GENERIC_STREAMING = "e77fde5a-22a8-11ed-861d-0242ac120002"
    """Streaming sources made with the Sources SDK."""


class XdmClass:
    """Ids of the two classes that Adobe provides for behaviour over time and for records."""

    EXPERIENCE_EVENT = "https://ns.adobe.com/xdm/context/experienceevent"
    """Events: each record has an `_id` and a `timestamp`. Right for Mixpanel."""

    PROFILE = "https://ns.adobe.com/xdm/context/profile"
    """Records about persons."""
