"""The dataflows of `chains`, through the plugin: its component is made of native resources."""

import pulumi

config = pulumi.Config("bench")
for number in range(config.require_int("chains")):
    interval = config.get_int("interval") if number == 0 else None
    pulumi.ComponentResource(
        "aep:components:MixpanelSource",
        f"{pulumi.get_stack()}-{number:04}",
        {
            "username": "service-account",
            "password": pulumi.Output.secret("pa55-of-mixpanel"),
            "projectId": "2671127",
            "timezone": "Pacific Standard Time",
            "schedule": {"frequency": "hour", "interval": interval or 1},
        },
        remote=True,
    )
