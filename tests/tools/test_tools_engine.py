"""Which Pulumi engine set-up uses, and in which order it looks."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import engine
from tools.common import ROOT, VENV, Stop

Program = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, and on PATH only what a test puts in tmp_path/bin."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setattr(engine, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(engine, "FETCHED", tmp_path / "cache" / engine.FETCHED.parent.name / "bin")


def ways(monkeypatch: pytest.MonkeyPatch, *, install: bool, build: bool) -> list[str]:
    """Replace the two slow ways, and return the list of those tried."""
    tried: list[str] = []

    def way(name: str, works: bool) -> Callable[[Path], bool]:
        def fetch(folder: Path) -> bool:
            tried.append(name)
            (folder / "bin").mkdir(parents=True)
            (folder / "bin" / "pulumi").write_text(name)
            return works

        return fetch

    monkeypatch.setattr(engine, "install", way("install", install))
    monkeypatch.setattr(engine, "build", way("build", build))
    return tried


@pytest.mark.parametrize("version", ["v3.259.0", "v3.260.1", "v3.1000.0-alpha.3"])
def test_a_new_enough_cli_with_its_host_beside_it_is_used(
    program: Program, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    cli = program("bin/pulumi", f"echo {version}")
    program("bin/pulumi-language-python", "")
    tried = ways(monkeypatch, install=True, build=True)
    engine.ensure()
    assert engine.own_cli() == cli
    assert tried == []
    assert engine.path() == os.pathsep.join((str(VENV / "bin"), os.environ["PATH"]))


def test_the_host_is_found_beside_the_target_of_a_link(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = program("opt/pulumi", "echo v3.259.0")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi").symlink_to(cli)
    assert engine.own_cli() is None
    program("opt/pulumi-language-python", "")
    assert engine.own_cli() == tmp_path / "bin" / "pulumi"


@pytest.mark.parametrize("script", ["echo v3.258.9", "echo v2.300.0", "echo nothing of the kind", "exit 1"])
def test_an_old_or_broken_cli_is_not_used(program: Program, script: str) -> None:
    program("bin/pulumi", script)
    program("bin/pulumi-language-python", "")
    assert engine.own_cli() is None


def test_a_cached_engine_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    engine.FETCHED.mkdir(parents=True)
    tried = ways(monkeypatch, install=True, build=True)
    engine.ensure()
    assert tried == []
    assert engine.path().split(os.pathsep)[:2] == [str(VENV / "bin"), str(engine.FETCHED)]


def test_the_installer_comes_before_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = ways(monkeypatch, install=True, build=True)
    engine.ensure()
    assert tried == ["install"]
    assert (engine.FETCHED / "pulumi").read_text() == "install"


def test_files_of_a_failed_installer_do_not_reach_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = ways(monkeypatch, install=False, build=True)
    engine.ensure()
    assert tried == ["install", "build"]
    assert (engine.FETCHED / "pulumi").read_text() == "build"
    assert not (engine.CACHE / f"{engine.VERSION}.partial").exists()


def test_if_nothing_works_one_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    ways(monkeypatch, install=False, build=False)
    with pytest.raises(Stop, match=r"Install Pulumi or Go, then run this again") as stop:
        engine.ensure()
    assert engine.VERSION in str(stop.value)
    assert engine.GO in str(stop.value)
    assert not engine.FETCHED.exists()


def test_an_unreachable_installer_is_skipped(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program("venv/bin/python", "exit 1")
    monkeypatch.setattr(engine, "VENV", tmp_path / "venv")
    assert engine.install(tmp_path / "target") is False


def test_the_sdk_runs_the_installer(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program("venv/bin/python", 'test -z "$3" || { mkdir -p "$3/bin"; echo "$2" > "$3/bin/pulumi"; }')
    monkeypatch.setattr(engine, "VENV", tmp_path / "venv")
    engine.ensure()
    assert "PulumiCommand.install(root=sys.argv[1]" in (engine.FETCHED / "pulumi").read_text()


@pytest.mark.parametrize("version", ["go1.25.10", "go1.24", "devel"])
def test_an_old_go_does_not_build(program: Program, tmp_path: Path, version: str) -> None:
    program("bin/go", f"echo {version}")
    assert engine.build(tmp_path / "target") is False
    assert not (tmp_path / "target").exists()


def test_a_failed_build_shows_the_end_of_gos_output(
    program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program("bin/go", 'case "$*" in "env GOVERSION") echo go1.26.0;; *) echo no such module >&2; exit 1;; esac')
    assert engine.build(tmp_path / "target") is False
    assert "no such module\nFailed, see above: go build" in capsys.readouterr().out


def test_without_a_yaml_host_there_is_still_an_engine(
    program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
        program(f"sdk/python/{script}", "")
    answers = f"list*) echo {tmp_path / 'sdk'};; *pulumi-yaml*) echo not served >&2; exit 1;;"
    program("bin/go", f'case "$*" in "env GOVERSION") echo go1.26.0;; {answers} esac')
    (tmp_path / "target" / "bin").mkdir(parents=True)
    assert engine.build(tmp_path / "target") is True
    said = capsys.readouterr().out
    assert "not served" in said
    assert "No host for YAML programs: their tests are skipped." in said


def test_an_engine_of_other_modules_is_not_used() -> None:
    """An older checkout's lacks what this one's can run."""
    assert re.fullmatch(rf"{re.escape(engine.VERSION)}-[0-9a-f]{{8}}", engine.FETCHED.parent.name)


def test_folders_that_make_env_added_are_not_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    outside = os.environ["PATH"]
    monkeypatch.setenv("PATH", os.pathsep.join((str(VENV / "bin"), str(engine.FETCHED), outside)))
    assert engine.outer_path() == outside


def test_the_supported_sdks_are_the_tested_ones() -> None:
    bounds = re.search(r'"pulumi>=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    newest = engine.version((ROOT / "requirements-newest.txt").read_text())
    assert bounds
    assert (3, int(bounds[1])) == engine.version(engine.VERSION)[:2]
    assert (3, int(bounds[2]) - 1) == newest[:2]


def test_engine_and_sdk_are_of_one_release() -> None:
    assert f"github.com/pulumi/pulumi/pkg/v3 v{engine.VERSION}" in (ROOT / "tools/engine/go.mod").read_text()
    assert f"\ngo {engine.GO}\n" in (ROOT / "tools/engine/go.mod").read_text()
    assert f"\npulumi=={engine.VERSION} " in (ROOT / "requirements.lock").read_text()


def test_the_lock_files_name_no_index() -> None:
    locks = (ROOT / "requirements.lock").read_text() + (ROOT / "requirements-newest.txt").read_text()
    assert not re.search(r"https?://|--index-url|--find-links", locks)
