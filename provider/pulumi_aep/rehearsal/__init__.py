"""`pulumi-aep rehearse`: does everything work in this sandbox, and is it as the emulator assumes?

Part one takes each kind through its whole life with the provider's reconciler (lives.py). Part two asks one question
for each assumption of the emulator that can be tested from outside (probes.json, probing.py). All objects are
disposable and named `pulumi-aep rehearsal <id> …`; leftovers.py finds and deletes them by that name, those of a killed
run too.
"""
