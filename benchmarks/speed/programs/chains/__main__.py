"""Dataflows as in the tutorial. Config: `bench:chains` (number), `bench:interval` (hours, for the first one)."""

import pulumi

import pulumi_aep as aep

config = pulumi.Config("bench")
for number in range(config.require_int("chains")):
    aep.MixpanelSource(
        f"{pulumi.get_stack()}-{number:04}",
        username="service-account",
        password=pulumi.Output.secret("pa55-of-mixpanel"),
        project_id="2671127",
        timezone="Pacific Standard Time",
        schedule={"frequency": "hour", "interval": config.get_int("interval") or 1 if number == 0 else 1},
    )
