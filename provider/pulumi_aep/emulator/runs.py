"""Flow runs. Without a clock yet, a run on demand is over at once and met no trouble."""

import json
import secrets
import uuid

from .rules import Json


def finished(stamp: Json, flow: Json, rows: list[Json]) -> Json:
    """A successful run in the shape of the tutorial's sample, counting `rows` in and out."""
    now, size, count = stamp["createdAt"], len(json.dumps(rows)), len(rows)
    summary = {
        "durationSummary": {"startedAtUTC": now, "completedAtUTC": now},
        "sizeSummary": {"inputBytes": size, "outputBytes": size},
        "recordSummary": {"inputRecordCount": count, "outputRecordCount": count, "failedRecordCount": 0},
        "fileSummary": {"inputFileCount": 1, "outputFileCount": 1},
        "statusSummary": {"status": "success"},
    }
    source = {"id": flow["sourceConnectionIds"][0], "type": "SourceConnection"}
    target = {"id": flow["targetConnectionIds"][0], "type": "TargetConnection"}
    source["reference"] = {"type": "AdfRunId", "ids": [str(uuid.uuid4())]}
    target["reference"] = {"type": "Batch", "ids": [secrets.token_hex(13).upper()]}
    copy = {"id": "copyActivity", "updatedAtUTC": now} | summary | {"recordSummary": {}, "sourceInfo": [source]}
    promotion = {"id": "promotionActivity", "updatedAtUTC": now} | summary | {"targetInfo": [target]}
    refs = {"activityRefs": ["promotionActivity"]}
    totals = {"fileSummary": summary["fileSummary"] | refs}
    totals["statusSummary"] = {"status": "success", "errors": [], **refs}
    metrics = {"metrics": summary | totals, "activities": [copy, promotion]}
    kept = {name: value for name, value in stamp.items() if name not in ("state", "version")}
    return kept | {"flowId": flow["id"], "flowSpec": flow["flowSpec"]} | metrics
