"""Requests and answers of Adobe's pages (pages.json), replayed in their order in one world.

Each names its page (below `help/` of AdobeDocs/experience-platform.en) and section. An answer must have the sample's
keys with values of the same JSON type; a text or number that the sample has, must be there. `{name}` is an object of
this world.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from support import mixpanel
from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, SANDBOXES, Emulator

SAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "pages.json").read_text())
BASES = {"flow": FLOW, "registry": REGISTRY, "catalog": CATALOG, "prep": DATA_PREP, "sandboxes": SANDBOXES}
AREAS = ("sources", "xdm", "catalog", "data-prep", "sandboxes")
_NAME = re.compile(r"\{(\w+)\}")


class Pages:
    """The emulator with a chain of objects, and the names by which samples refer to them."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator, self.replayed = emulator, 0
        emulator.reset()
        chain = mixpanel.make_chain(emulator)
        self.names = {**vars(chain), "tenant": "emulator"}
        self.names["schema_alt"] = f"_emulator.schemas.{chain.schema.rsplit('/', 1)[1]}"
        flow = mixpanel.flow(chain.source, chain.target, chain.mapping, "once")
        flow["scheduleParams"] = {"startTime": 1625040887, "frequency": "once"}
        for name in ("once", "spare"):
            self.names[name] = emulator.request("POST", f"{FLOW}/flows", flow | {"name": name}).json()["id"]
        made = emulator.request("POST", f"{CATALOG}/dataSets", mixpanel.dataset(chain.schema, "spare")).json()
        self.names["spare_dataset"] = made[0].rsplit("/", 1)[1]
        emulator.control("POST", "clock", {"advance_s": 60})  # a run of the flow

    def replay(self, until: int) -> None:
        for sample in SAMPLES[self.replayed : until]:
            self.replayed += 1
            self._replay(sample)

    def _replay(self, sample: dict[str, Any]) -> None:
        method, _, rest = sample["request"].partition(" ")
        base, _, path = rest.partition(":")
        url = BASES[base] + _NAME.sub(lambda match: quote(self.names[match[1]], safe=""), path)
        headers = dict(sample.get("headers", {}))
        if sample.get("match"):
            headers["If-Match"] = self.emulator.request("GET", url).json()["items"][0]["etag"]
        query = self._filled(sample.get("query"))
        answer = self.emulator.request(method, url, self._filled(sample.get("body")), headers=headers, params=query)
        if sample["status"] is None:  # the page does not say, or says another than the OpenAPI file
            assert answer.status_code < 300, answer.text
        else:
            assert answer.status_code == sample["status"], answer.text
        if "answer" in sample:
            fits(self._filled(sample["answer"]), answer.json())
        if "as" in sample:
            body = answer.json()
            self.names[sample["as"]] = body.get("$id") or body.get("@id") or body["id"]

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._filled(key): self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        return _NAME.sub(lambda match: self.names[match[1]], value) if isinstance(value, str) else value


def fits(sample: Any, answer: Any, place: str = "body") -> None:
    """The answer has what the sample shows: of a list, the first."""
    if sample is None:
        return
    assert type(answer) is type(sample), f"{place}: {answer!r} instead of {sample!r}"
    if isinstance(sample, dict):
        for key, value in sample.items():
            assert key in answer, f"{place}.{key} is missing"
            fits(value, answer[key], f"{place}.{key}")
    elif isinstance(sample, list):
        assert len(answer) >= len(sample), f"{place}: {answer!r}"
        for number, value in enumerate(sample[:1]):
            fits(value, answer[number], f"{place}[{number}]")
    elif isinstance(sample, str):
        assert answer.startswith(sample), f"{place}: {answer!r} instead of {sample!r}"
    elif sample:
        assert answer == sample, f"{place}: {answer!r} instead of {sample!r}"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    with Emulator(tmp_path_factory.mktemp("pages")) as emulator:
        yield Pages(emulator)


def test_enough_of_each_area() -> None:
    count = {area: sum(sample["page"].startswith(area) for sample in SAMPLES) for area in AREAS}
    assert len(SAMPLES) >= 60
    assert all(count.values()), count


@pytest.mark.parametrize("number", range(len(SAMPLES)), ids=[f"{each['page']} {each['section']}" for each in SAMPLES])
def test_a_sample(pages: Pages, number: int) -> None:
    """After those before it, as a page's later requests build on its earlier ones."""
    pages.replay(number + 1)
