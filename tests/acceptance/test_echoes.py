"""What the service echoes in another form is no difference: neither the next preview nor a refresh shows any."""

from collections.abc import Callable

from acceptance.support import Chain
from pulumi_aep import XdmClass
from support.emulator import Emulator

FIELDS = {
    "item": {"type": "string", "title": "Item", "enum": ["a", "b"], "meta:enum": {"a": "A", "b": "B"}},
    "basket": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"price": {"type": "number", "minimum": 0.5}, "n": {"type": "integer"}},
        },
    },
    "shop": {"type": "object", "properties": {"open": {"type": "boolean"}}},
}
MAPPINGS = [
    {"source": "properties.open", "destination": "_{tenantId}.shop.open"},
    {"source": "properties.item", "destination": "_{tenantId}.item", "name": "item", "description": "what was bought"},
    {"source": 'concat(a, "-", b)', "destination": "_id", "source_type": "EXPRESSION"},
    {"source": "web", "destination": "eventType", "source_type": "STATIC"},
]
VALUES = {
    "BaseConnection": {"description": ""},
    "SourceConnection": {
        "description": "two lines,\n“quotes” and 'more'",
        "params": {"projectId": "0042", "timezone": "Europe/Berlin"},
    },
    "TargetConnection": {"description": "[in brackets]"},
    "FieldGroup": {"fields": FIELDS, "class_ids": [XdmClass.PROFILE, XdmClass.EXPERIENCE_EVENT]},
    "both_groups": True,
    "Dataset": {"tags": {"unifiedProfile": ["enabled:true"], "empty": []}},
    "MappingSet": {"mappings": MAPPINGS},
    "Flow": {
        "description": " blanks around ",
        "options": {"error_diagnostics_enabled": True, "partial_ingestion_percent": 5},
        "schedule": {"frequency": "week", "interval": 2, "backfill": False, "start_time": "1767225600"},
    },
}


def test_no_difference(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain(VALUES)
    stack.up()
    assert stack.preview().changes == {}
    text = stack.refresh()
    assert "11 unchanged" in text, text
    assert stack.preview().changes == {}
    emulator.clear_journal()
    stack.up()
    assert emulator.journal() == []
