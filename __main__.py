"""The plugin as Pulumi starts it from this folder (PulumiPlugin.yaml)."""

from pulumi_aep.engine.plugin import main

main()
