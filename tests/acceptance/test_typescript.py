"""A TypeScript program of the tutorial's dataflow, with the generated SDK."""

import shutil
from pathlib import Path

from acceptance.support import Stack, calls, nothing_changed, writes
from acceptance.support_native import generated_sdk, node_modules, typescript_project
from kinds import DESCRIPTIONS
from support.emulator import Emulator

PROGRAM = Path(__file__).parent / "programs" / "typescript" / "index.ts"
KINDS = (
    "BaseConnection",
    "SourceConnection",
    "FieldGroup",
    "Schema",
    "Dataset",
    "TargetConnection",
    "MappingSet",
    "Flow",
)
SECRET = "canary-pa55word"


def test_the_whole_life(tmp_path: Path, emulator: Emulator) -> None:
    modules = node_modules()
    dev = Stack(tmp_path, emulator, "dev")
    typescript_project(tmp_path)
    shutil.copy(PROGRAM, tmp_path)
    generated_sdk(dev, modules)
    dev.config({"aep:endpoint": "emulator", "aep:sandbox": "local"})
    dev.run("stack", "init", "dev", "--no-select")
    dev.secret("password", SECRET)

    dev.up()
    assert sorted(writes(emulator)) == sorted(f"POST {DESCRIPTIONS[kind].collection}" for kind in KINDS * 2)
    outputs = dev.outputs()
    assert {outputs["flowId"], outputs["appFlow"]} == {item["id"] for item in emulator.objects()["Flow"]}
    assert outputs["frequency"] == "minute"
    assert SECRET not in dev.export()
    emulator.clear_journal()
    assert nothing_changed(dev.up())
    assert dev.preview().changes == {}
    assert set(calls(emulator)) == {"POST token", "GET connectionSpecs"}, "the look-up of the program"

    dev.config({"shop:interval": "30"})
    assert dev.preview().changes == {"Flow flow": "update"}
    emulator.clear_journal()
    dev.up()
    assert writes(emulator) == ["PATCH flows"]

    # A deleted record comes back by an import.
    dev.run("state", "delete", "--stack", "dev", "--yes", dev.urn("Flow flow"))
    dev.run("import", "--stack", "dev", "--yes", "--generate-code=false", "aep:index:Flow", "flow", outputs["flowId"])
    assert dev.preview().changes == {}
    dev.up()
    dev.destroy()
    assert not any(emulator.objects().values())
