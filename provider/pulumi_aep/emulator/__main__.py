"""`python -m pulumi_aep.emulator --port 0 --db FILE`: the first line on stdout is its address."""

import json
from argparse import ArgumentParser
from pathlib import Path

from . import serve

parser = ArgumentParser(prog="pulumi-aep emulator")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=8700, help="0 takes a free port")
parser.add_argument("--db", default="emulator.db", help="SQLite file; created if missing")
parser.add_argument("--seed", type=Path, metavar="FILE", help="fill an empty database from a dump")
parser.add_argument("--settings", type=json.loads, metavar="JSON", help="settings instead of the defaults")
parser.add_argument("--specs", type=Path, metavar="FILE", help="an organization's own specs (pulumi-aep specs --save)")
args = parser.parse_args()
serve(args.host, args.port, args.db, args.seed, settings=args.settings, specs=args.specs)
