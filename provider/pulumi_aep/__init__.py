"""Adobe Experience Platform dataflows as Pulumi resources."""
