"""What became of the records of a run: how many arrived, and what the service says of the others."""

from dataclasses import dataclass, field
from typing import Any

from ..core.errors import Json
from ..data_prep.mapping_engine import MappedRecord

MOST_ROW_ERRORS = 1000
_MISSING = "A required field is either missing or has a value of null. Add the required field to the input row."
_NO_DIAGNOSTICS = (
    "Encountered errors while parsing, converting or otherwise validating the data. Please resend the data with error "
    "diagnostics enabled to collect additional information on failure types"
)


@dataclass
class Outcome:
    rows: list[Any] = field(default_factory=list)
    mapped: list[MappedRecord] = field(default_factory=list)
    ingested: list[Json] = field(default_factory=list)
    activity: str = "copyActivity"  # the one that ran last
    status: str = "success"
    errors: list[Json] = field(default_factory=list)

    def promote(self, percent: float | None) -> None:
        self.ingested = [each.record for each in self.mapped if each.is_good]
        if self.failed:
            self.errors = [{"code": "CONNECTOR-2001-500", "message": "Error occurred at promotion activity."}]
        if self.failed * 100 > len(self.rows) * percent if percent is not None else not self.ingested:
            self.ingested, self.status = [], "failed"

    def fail(self, code: str, message: str) -> None:
        self.ingested, self.status, self.errors = [], "failed", [{"code": code, "message": message}]

    @property
    def failed(self) -> int:
        return len(self.rows) - len(self.ingested)

    def counts(self) -> Json:
        rows = {"inputRecordCount": len(self.rows), "outputRecordCount": len(self.ingested)}
        return rows | {"failedRecordCount": self.failed}

    def diagnostics(self) -> list[Json]:
        """What the promotion activity reports about its records."""
        found: list[Json] = []
        if self.failed:
            text = f"Encountered {self.failed} errors in the data. Successfully ingested {len(self.ingested)} rows. "
            text += "Review the associated diagnostic files for additional details."
            found.append({"code": "INGEST-1212-400", "message": text})
        if wrong := sum(1 for each in self.mapped if each.errors):
            found.append({"code": "MAPPER-3700-400", "recordCount": wrong, "message": "Mapper Transform Error"})
        return found

    def batch_errors(self, with_rows: bool) -> list[Json]:
        """What Catalog says about the batch."""
        errors = self.errors if self.status == "failed" else []
        if self.failed and not with_rows:
            return [*errors, {"code": "INGEST-1211-400", "message": _NO_DIAGNOSTICS}]
        found = errors + self.diagnostics()
        if missing := sum(1 for each in self.mapped if each.missing):
            found.append({"code": "INGEST-1555-400", "recordCount": missing, "message": _MISSING})
        return found

    def row_errors(self) -> list[Json]:
        """The records that failed, each with its reasons."""
        rows = zip(self.rows, self.mapped, strict=False)  # nothing was mapped if the dataset is gone
        return [row_error(row, each) for row, each in rows if not each.is_good][:MOST_ROW_ERRORS]


def row_error(row: Any, mapped: MappedRecord) -> Json:
    """A record that failed, with its reasons."""
    errors = [{"column": name, "code": "3700", "message": text} for name, text in mapped.errors]
    errors += [{"column": name, "code": "1555", "message": _MISSING} for name in mapped.missing]
    return {**(row if isinstance(row, dict) else {"_corrupt_record": str(row)}), "_errors": errors}
