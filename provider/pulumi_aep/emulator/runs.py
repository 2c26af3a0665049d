"""Flow runs. Without a clock yet, a run on demand is over at once and met no trouble."""

import json
import secrets
import uuid

from pydantic import Field

from .gateway import Body
from .rules import Json


class RunParams(Body):
    start_time: int | None = None
    window_start_time: int | None = None
    window_end_time: int | None = None
    delta_column: Json | None = None


class NewRun(Body):
    flow_id: str
    params: RunParams = Field(default_factory=RunParams)


def finished(stamp: Json, flow: Json, rows: list[Json]) -> Json:
    """A successful run in the shape of the tutorial's sample, counting `rows` in and out."""
    now, count, size = stamp["createdAt"], len(rows), len(json.dumps(rows))
    duration = {"startedAtUTC": now, "completedAtUTC": now}
    sizes = {"inputBytes": size, "outputBytes": size}
    records = {"inputRecordCount": count, "outputRecordCount": count, "failedRecordCount": 0}
    files = {"inputFileCount": 1, "outputFileCount": 1}
    status: Json = {"status": "success"}

    def activity(name: str, side: str, kind: str, id_: str, reference: Json, summary: Json) -> Json:
        return {
            "id": name,
            "updatedAtUTC": now,
            "durationSummary": duration,
            "sizeSummary": sizes,
            "recordSummary": summary,
            "fileSummary": files,
            "statusSummary": status,
            side: [{"id": id_, "type": kind, "reference": reference}],
        }

    source, target = flow["sourceConnectionIds"][0], flow["targetConnectionIds"][0]
    copied = {"type": "AdfRunId", "ids": [str(uuid.uuid4())]}
    promoted = {"type": "Batch", "ids": [secrets.token_hex(13).upper()]}
    return {name: value for name, value in stamp.items() if name not in ("state", "version")} | {
        "flowId": flow["id"],
        "flowSpec": flow["flowSpec"],
        "metrics": {
            "durationSummary": duration,
            "sizeSummary": sizes,
            "recordSummary": records,
            "fileSummary": files | {"activityRefs": ["promotionActivity"]},
            "statusSummary": status | {"errors": [], "activityRefs": ["promotionActivity"]},
        },
        "activities": [
            activity("copyActivity", "sourceInfo", "SourceConnection", source, copied, {}),
            activity("promotionActivity", "targetInfo", "TargetConnection", target, promoted, records),
        ],
    }
