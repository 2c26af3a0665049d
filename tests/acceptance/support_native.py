"""Programs in other languages for the same project: YAML and TypeScript, where their hosts are on PATH."""

import shutil

import pytest


def needs_host(language: str) -> None:
    """Skip without the host of a language: the official CLI brings it along, the engine of `make setup` does not."""
    if not shutil.which(f"pulumi-language-{language}"):
        pytest.skip(f"no pulumi-language-{language} on PATH: install the official Pulumi CLI to run programs in it")
