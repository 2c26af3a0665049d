"""The native door as a process: the engine's calls over gRPC, against the emulator."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto import provider_pb2_grpc, resource_pb2_grpc
from typing_extensions import override

from pulumi_aep import ConnectionSpec
from pulumi_aep.engine.sdk_internals import SECRET_MARK, UNKNOWN_TEXT
from support.emulator import Emulator
from support.journal import writes

ROOT = Path(__file__).parents[2]
URN = "urn:pulumi:dev::shop::aep:index:{kind}::web"
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:aep::default"


def struct(props: dict[str, Any]) -> Struct:
    made = Struct()
    made.update(props)
    return made


def secret(value: Any) -> dict[str, Any]:
    return {**SECRET_MARK, "value": value}


@contextmanager
def plugin() -> Iterator[tuple[Any, subprocess.Popen[str], socket.socket]]:
    """The process, as the engine starts it, and the socket that stands for the engine."""
    with socket.create_server(("127.0.0.1", 0)) as engine:
        command = [sys.executable, "-c", "from pulumi_aep.engine.plugin import main; main()"]
        command.append("127.0.0.1:{1}".format(*engine.getsockname()))
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            try:
                yield provider_pb2_grpc.ResourceProviderStub(channel), process, engine
            finally:
                process.kill()
                process.wait(5)
                process.stdout.close()


@pytest.fixture
def door(emulator: Emulator) -> Iterator[Any]:
    """The plugin, configured for sandbox `local`."""
    with plugin() as (stub, _, _):
        settings = {"endpoint": emulator.url, "imsEndpoint": emulator.url, "sandbox": "local"}
        account = {"orgId": "EMULATOR@AdobeOrg", "clientId": "emulator", "clientSecret": secret("emulator-secret")}
        checked = stub.CheckConfig(proto.CheckRequest(urn=PROVIDER, news=struct({**settings, **account})))
        assert not checked.failures
        stub.Configure(proto.ConfigureRequest(args=checked.inputs))
        yield stub


def base(**more: Any) -> dict[str, Any]:
    params = {"username": secret("shop"), "password": "canary-pa55"}
    auth = {"specName": "Basic Authentication", "params": params}
    return {"connectionSpec": ConnectionSpec.MIXPANEL, "auth": auth, **more}


def check(door: Any, news: dict[str, Any], olds: Struct | None = None, kind: str = "BaseConnection") -> Any:
    return door.Check(proto.CheckRequest(urn=URN.format(kind=kind), name="web", news=struct(news), olds=olds))


def test_secrets_keep_their_marks(door: Any) -> None:
    """Those that the program marks, and those that the kind knows: in the inputs and in the state."""
    inputs = check(door, base()).inputs
    made = door.Create(proto.CreateRequest(urn=URN.format(kind="BaseConnection"), properties=inputs))
    for side in (inputs, made.properties):
        params = MessageToDict(side)["auth"]["params"]
        assert params == {"username": secret("shop"), "password": secret("canary-pa55")}


def test_what_the_program_marks_as_secret_is_in_no_message(door: Any) -> None:
    auth = {"specName": secret("canary-name"), "params": {"username": "shop", "password": "x"}}
    for news in (base(auth=auth), base(connectionSpec=secret("canary-spec"))):
        reasons = " ".join(failure.reason for failure in check(door, news).failures)
        assert "[secret]" in reasons
        assert "canary" not in reasons


def test_a_misspelt_key_is_shown_as_the_program_wrote_it(door: Any) -> None:
    """In objects, in their lists and at the top; what it may have meant is in the same spelling."""
    rows = [{"sourceType": "ATTRIBUTE", "source": "a", "destination": "b"}, {"surceType": "ATTRIBUTE"}]
    wrong: dict[str, dict[str, Any]] = {
        "Flow": {"schedule": {"strtTime": 1, "frequency": "hour"}, "flwSpec": "1"},
        "MappingSet": {"mappings": rows},
        "BaseConnection": base(auth={"specNme": "Basic", "params": {"spec_name": "1"}}),
    }
    shown = "\n".join(each.reason for kind, news in wrong.items() for each in check(door, news, kind=kind).failures)
    for text in (
        "schedule.strtTime: is not a known key (did you mean startTime?)",
        "flwSpec: is not a known key (did you mean flowSpec?)",
        "mappings[1].surceType: is not a known key (did you mean sourceType?)",
        "auth.specNme: is not a known key (did you mean specName?)",
    ):
        assert text in shown
    assert "_" not in shown


def test_a_difference_names_each_leaf(door: Any) -> None:
    inputs = check(door, base(description="one")).inputs
    urn = URN.format(kind="BaseConnection")
    made = door.Create(proto.CreateRequest(urn=urn, properties=inputs))
    changed = base(name="other", description="one")
    changed["auth"]["params"]["password"] = "new"
    news = check(door, changed, olds=inputs).inputs
    found = door.Diff(proto.DiffRequest(urn=urn, id=made.id, olds=made.properties, news=news, old_inputs=inputs))
    assert found.changes == proto.DiffResponse.DIFF_SOME
    assert {*found.detailedDiff} == {"name", "auth.params.password"}, "nothing that the library says itself"
    assert not found.replaces

    changed["connectionSpec"] = ConnectionSpec.AMAZON_S3
    changed["auth"] = {"specName": "Access Key", "params": {"s3AccessKey": "a", "s3SecretKey": "b"}}
    news = check(door, changed, olds=inputs).inputs
    found = door.Diff(proto.DiffRequest(urn=urn, id=made.id, olds=made.properties, news=news, old_inputs=inputs))
    assert {*found.replaces} == {"connectionSpec", "auth"}
    assert found.deleteBeforeReplace
    assert found.detailedDiff["connectionSpec.id"].kind == proto.PropertyDiff.UPDATE_REPLACE


def test_a_type_that_does_not_exist(door: Any) -> None:
    """As `pulumi import` may name one."""
    with pytest.raises(grpc.RpcError) as refused:
        door.Read(proto.ReadRequest(urn=URN.format(kind="Flw"), id="1"))
    assert refused.value.details().startswith("This version of pulumi-aep has no kind Flw. Kinds: BaseConnection, ")


def test_unknown_values_stay_unknown(door: Any) -> None:
    inputs = check(door, {"schemaId": UNKNOWN_TEXT}, kind="Dataset").inputs
    assert inputs["schemaId"] == UNKNOWN_TEXT


def test_nothing_is_written_after_a_cancel(door: Any, emulator: Emulator) -> None:
    inputs = check(door, base()).inputs
    door.Cancel(empty_pb2.Empty())
    with pytest.raises(grpc.RpcError, match="Cancelled: nothing more is written"):
        door.Create(proto.CreateRequest(urn=URN.format(kind="BaseConnection"), properties=inputs))
    assert writes(emulator) == []


def test_the_identity_is_made_once() -> None:
    with plugin() as (stub, _, _):
        news = struct({"endpoint": "emulator", "sandbox": "local"})
        first = stub.CheckConfig(proto.CheckRequest(urn=PROVIDER, news=news)).inputs
        again = stub.CheckConfig(proto.CheckRequest(urn=PROVIDER, news=news, olds=first)).inputs
        assert first["ownerId"] == again["ownerId"]
        unknown = stub.CheckConfig(proto.CheckRequest(urn=PROVIDER, news=struct({"sandbox": UNKNOWN_TEXT})))
        assert not unknown.failures
        wrong = stub.CheckConfig(proto.CheckRequest(urn=PROVIDER, news=struct({"sandbox": "local", "sandbx": "x"})))
        assert any("did you mean aep:sandbox?" in failure.reason for failure in wrong.failures)


def test_a_remedy_is_for_the_provider_of_the_program(emulator: Emulator) -> None:
    """The stack's config reaches only the default one."""
    with plugin() as (stub, _, _), plugin() as (later, _, _):
        urn, account = PROVIDER.replace("default", "stage"), {"endpoint": emulator.url, "imsEndpoint": emulator.url}
        account |= {"orgId": "EMULATOR@AdobeOrg", "clientId": "emulator", "clientSecret": "emulator-secret"}
        (missing,) = stub.CheckConfig(proto.CheckRequest(urn=urn, news=struct(account))).failures
        there = "in the arguments of provider stage"
        assert missing.reason == f"aep:sandbox is not set: sandbox: … {there}, or export AEP_SANDBOX=…"
        checked = stub.CheckConfig(proto.CheckRequest(urn=urn, news=struct({**account, "sandbox": "prod"})))
        for each in (stub, later):
            each.Configure(proto.ConfigureRequest(name="stage", args=checked.inputs))
        inputs, of = check(stub, base()).inputs, URN.format(kind="BaseConnection")
        made = stub.Create(proto.CreateRequest(urn=of, properties=inputs))
        with pytest.raises(grpc.RpcError, match=f"unless you allow it with allowProductionDeletes: true {there}"):
            later.Delete(proto.DeleteRequest(urn=of, id=made.id, properties=made.properties))
        elsewhere = stub.CheckConfig(
            proto.CheckRequest(urn=urn, news=struct({**account, "sandbox": "dev"}), olds=checked.inputs)
        )
        assert f"If you want the move: allowMassDelete: true {there}" in elsewhere.failures[0].reason


def test_the_process_ends_with_its_engine() -> None:
    """Also the one that only serves the schema, which is never configured."""
    with plugin() as (stub, process, engine):
        assert stub.GetSchema(proto.GetSchemaRequest()).schema.startswith("{")
        assert process.poll() is None
        (components,) = psutil.Process(process.pid).children()
        engine.close()
        assert process.wait(15) == 1
        assert components.wait(5) is None, "it has ended, as a child of another process"


def test_the_process_for_components_ends_with_the_plugin() -> None:
    """However the plugin ends."""
    with plugin() as (_, process, _):
        (components,) = psutil.Process(process.pid).children()
        process.kill()
        process.wait(5)
        assert components.wait(5) is None, "it has ended, as a child of another process"


def test_by_hand_it_says_what_it_is() -> None:
    """The folder is what `pulumi package add` starts (PulumiPlugin.yaml)."""
    done = subprocess.run([sys.executable, str(ROOT)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is a plugin" in done.stderr


@pytest.mark.parametrize(
    ("function", "given", "problem"),
    [
        ("getDataset", {}, "name: is required"),
        ("getDataset", {"nme": "orders"}, "nme: is not a known key (did you mean name?)"),
        ("getDataset", {"name": 3}, "name: must be text"),
        ("explore", {"connectionId": "x", "sourceParms": {}}, "(did you mean sourceParams?)"),
        ("getFlowRuns", {"flowId": "x", "limit": "ten"}, "limit: must be a whole number"),
    ],
)
def test_arguments_of_a_function_are_checked(door: Any, function: str, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(grpc.RpcError, match=re.escape(problem)):
        door.Invoke(proto.InvokeRequest(tok=f"aep:index:{function}", args=struct(given)))


MORE_THAN_ASYNCIO_HAS = 33
"""Threads of its default executor: at most 32, and cores + 4 on a small machine."""


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """The engine, as it answers components: only when many of them wait."""

    def __init__(self) -> None:
        self.all_wait = threading.Barrier(MORE_THAN_ASYNCIO_HAS, timeout=60)

    @override
    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        self.all_wait.wait()
        context.abort(grpc.StatusCode.UNKNOWN, "all wait")


def test_many_calls_of_components_wait_at_once() -> None:
    server = grpc.server(ThreadPoolExecutor(MORE_THAN_ASYNCIO_HAS))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(Monitor(), server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    request = proto.ConstructRequest(project="shop", stack="dev", name="web", monitorEndpoint=address)
    with plugin() as (stub, _, _):
        asked = [stub.Construct.future(request) for _ in range(MORE_THAN_ASYNCIO_HAS)]
        details = [each.exception(120).details() for each in asked]
    server.stop(None)
    assert all("all wait" in each for each in details), details[0]
