"""Nested arguments that several kinds take."""

from typing import NotRequired, TypedDict

import pulumi


class SpecRef(TypedDict):
    """A connection spec or flow spec; `version` is "1.0" if left out."""

    id: pulumi.Input[str]
    version: NotRequired[pulumi.Input[str]]


class Data(TypedDict):
    """Of a data lake target: `format` is parquet_xdm, json or delimited."""

    format: pulumi.Input[str]
