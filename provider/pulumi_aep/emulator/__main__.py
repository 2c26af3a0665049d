"""`python -m pulumi_aep.emulator --port 0 --db FILE`: the first line on stdout says where it listens."""

from argparse import ArgumentParser

from . import serve

parser = ArgumentParser(prog="pulumi-aep emulator")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=8700, help="0 takes a free port")
parser.add_argument("--db", default="emulator.db", help="SQLite file; made if missing")
args = parser.parse_args()
serve(args.host, args.port, args.db)
