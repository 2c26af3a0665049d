"""Programs on generated SDKs: YAML and TypeScript, where their hosts are on PATH, and Python."""

import json
import os
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from acceptance.support import Stack

PACKAGES = {
    "@pulumi/pulumi": "3.259.0",
    "@pulumi/policy": "1.21.0",
    "typescript": "5.9.3",
    "@types/node": "20.19.0",
}
ROOT = Path(__file__).parents[2]


def needs_host(language: str) -> None:
    """Skip without the host of a language: the official CLI brings all along, the engine of `make setup` YAML's."""
    if not shutil.which(f"pulumi-language-{language}"):
        pytest.skip(f"no pulumi-language-{language} on PATH: install the official Pulumi CLI to run programs in it")


def node_modules() -> Path:
    """What TypeScript programs import, installed once from npm."""
    needs_host("nodejs")
    folder = ROOT / ".local" / "node"
    manifest = json.dumps({"private": True, "dependencies": PACKAGES})
    package = folder / "package.json"
    if not package.is_file() or package.read_text() != manifest:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if not shutil.which("npm"):
            pytest.skip("no npm on PATH: install Node.js to run TypeScript programs")
        (folder / "wanted.json").write_text(manifest)
        install = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder)]
        names = [f"{name}@{version}" for name, version in PACKAGES.items()]
        done = subprocess.run([*install, *names], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"npm cannot install {', '.join(names)}: {done.stderr.strip()[-300:]}")
        package.write_text(manifest)
    return folder / "node_modules"


def typescript_project(folder: Path) -> None:
    """A project of `index.ts`, compiled with `strict`."""
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: nodejs\n")
    (folder / "package.json").write_text(json.dumps({"name": "shop", "main": "index.ts"}))
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": {"strict": True, "target": "es2022"}}))


def link(modules: Path, folder: Path) -> Path:
    """The modules as those of a project, which may add its own."""
    local = folder / "node_modules"
    local.mkdir()
    for each in modules.iterdir():
        (local / each.name).symlink_to(each)
    return local


def generated_sdk(stack: Stack, modules: Path) -> None:
    """Generate the TypeScript SDK, compile it with `strict`, and give it to the stack's program."""
    stack.run("package", "gen-sdk", str(shutil.which("pulumi-resource-aep")), "--language", "nodejs", "--out", "sdk")
    source, local = stack.folder / "sdk" / "nodejs", link(modules, stack.folder)
    settings = json.loads("".join(line for line in (source / "tsconfig.json").open() if "//" not in line))
    assert settings["compilerOptions"]["strict"] is True
    compiled = subprocess.run(
        [local / ".bin" / "tsc"], cwd=source, capture_output=True, text=True, check=False, timeout=300
    )
    assert compiled.returncode == 0, compiled.stdout
    shutil.copy(source / "package.json", source / "bin")
    (local / "@pulumi-aep").mkdir()
    (source / "bin").rename(local / "@pulumi-aep" / "aep")


def python_sdk(stack: Stack) -> None:
    """Generate the Python SDK, and give it to the stack's program as if it were installed."""
    stack.run("package", "gen-sdk", str(shutil.which("pulumi-resource-aep")), "--language", "python", "--out", "sdk")
    installed = stack.folder / "sdk" / "python" / "pulumi_aep_native.dist-info"
    installed.mkdir()  # the SDK asks for its own version
    (installed / "METADATA").write_text(f"Name: pulumi_aep_native\nVersion: {version('pulumi-aep')}\n")
    stack.environment["PYTHONPATH"] += f"{os.pathsep}{installed.parent}"
