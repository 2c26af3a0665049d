"""HTTP to Adobe's services: one request loop (`http`), one module per service, all of them in `client.Client`.

Nothing here knows Pulumi. Importing this package alone does not import what HTTP needs.
"""
