"""The emulator as a process of its own, and raw calls to it as any foreign client would make them."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar

import requests

FLOW = "/data/foundation/flowservice"
REGISTRY = "/data/foundation/schemaregistry"
CATALOG = "/data/foundation/catalog"
DATA_PREP = "/data/foundation/conversion"
SANDBOXES = "/data/foundation/sandbox-management"

MIXPANEL = {"id": "fd2c8ff3-1de0-4f6b-8fa8-4264784870eb", "version": "1.0"}
DATA_LAKE = {"id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c", "version": "1.0"}
REST_TO_AEP = {"id": "6499120c-0b15-42dc-936e-847ea3c24d72", "version": "1.0"}
EXPERIENCE_EVENT = "https://ns.adobe.com/xdm/context/experienceevent"
STRICT = '{"strict_bodies": true}'  # holds our own requests to what sources show
XED = "application/vnd.adobe.xed+json; version=1"
XED_FULL = "application/vnd.adobe.xed-full+json; version=1"
XED_ID = "application/vnd.adobe.xed-id+json"
T = TypeVar("T")


class Emulator:
    """`python -m pulumi_aep.emulator` on a free port, with its database in `folder`.

    with Emulator(tmp_path) as emulator:
        emulator.request("POST", f"{FLOW}/connections", json={...}).json()["id"]
    """

    label = ""
    """Before the names of what tests make, where others have objects too (support/live.py)."""

    def __init__(self, folder: Path, port: int = 0, stderr: IO[str] | None = None, options: Sequence[str] = ()) -> None:
        self.db = folder / "emulator.db"
        self.port = port
        self.stderr, self.options = stderr, options
        self.url = ""
        self._token = ""
        self._session = requests.Session()
        self._session.trust_env = False
        self._remembered: dict[Any, Any] = {}
        self.start()

    def start(self) -> None:
        where = ["--port", str(self.port), "--db", str(self.db), "--settings", STRICT, *self.options]
        command, environment = [sys.executable, "-m", "pulumi_aep.emulator", *where], {**os.environ, "NO_COLOR": "1"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.stderr, text=True, env=environment)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), f"the emulator did not start: {line!r}"
        self.url = line.split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()
        self._close()

    def kill(self) -> None:
        """SIGKILL: acknowledged writes must survive until `start()`."""
        self.process.kill()
        self.process.wait(5)
        self._close()

    def _close(self) -> None:
        if self.process.stdout:
            self.process.stdout.close()
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    # -- the services ---------------------------------------------------------------------------------------------

    def token(self) -> str:
        if not self._token:
            form = {
                "client_id": "emulator",
                "client_secret": "emulator-secret",
                "grant_type": "client_credentials",
                "scope": "openid,AdobeID",
            }
            self._token = self._session.post(f"{self.url}/ims/token/v3", data=form, timeout=30).json()["access_token"]
        return self._token

    def headers(self, sandbox: str = "local") -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token()}",
            "x-api-key": "emulator",
            "x-gw-ims-org-id": "EMULATOR@AdobeOrg",
            "x-sandbox-name": sandbox,
        }

    def request(
        self,
        method: str,
        path: str,
        json: Any = None,
        sandbox: str = "local",
        headers: Mapping[str, str | None] | None = None,
        **options: Any,
    ) -> requests.Response:
        """An authorized call. `headers` are added; a value of None removes a header."""
        merged = {k: v for k, v in ({**self.headers(sandbox), **(headers or {})}).items() if v is not None}
        return self._session.request(method, self.url + path, json=json, headers=merged, timeout=30, **options)

    # -- the admin API --------------------------------------------------------------------------------------------

    def control(self, method: str, path: str, json: Any = None) -> requests.Response:
        return self._session.request(method, f"{self.url}/__emulator__/{path}", json=json, timeout=30)

    def objects(self, sandbox: str = "local") -> dict[str, list[dict[str, Any]]]:
        """kind → objects of one sandbox. All kinds are present."""
        found: dict[str, list[dict[str, Any]]] = self.control("GET", "objects").json()[sandbox]
        return found

    def journal(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", "journal").json()
        return found

    def writes(self) -> list[dict[str, Any]]:
        """The journal's calls that change something. Token requests do not count."""
        return [e for e in self.journal() if e["method"] != "GET" and not e["path"].startswith("/ims/")]

    def clear_journal(self) -> None:
        self.control("DELETE", "journal").raise_for_status()

    def reset(self) -> None:
        self.control("POST", "reset").raise_for_status()

    def hold_data(self, dataset_id: str) -> None:
        """The catalog says that the dataset has a batch."""
        body = {dataset_id: {"lastBatchId": "01ED0C6BQ2HPNH4EVPQ5WXYZAB", "lastBatchStatus": "success"}}
        fault = {"method": "GET", "path": "/catalog/lastBatches$", "status": 200, "body": body}
        self.control("POST", "faults", fault).raise_for_status()

    def remembered(self, make: Callable[["Emulator"], T]) -> T:
        """What `make` makes in an empty emulator. Only the first time by requests; then its rows are put back."""
        with closing(sqlite3.connect(self.db, timeout=30)) as sql, sql:
            if make in self._remembered:
                made, tables = self._remembered[make]
                for table, rows in tables.items():
                    sql.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
            else:
                made = make(self)
                tables = {table: sql.execute(f"SELECT * FROM {table}").fetchall() for table in ("objects", "due")}
                self._remembered[make] = made, tables
        found: T = made
        return found

    def settings(self, **changes: Any) -> dict[str, Any]:
        response = self.control("PUT", "settings", json=changes)
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found
