"""HTTP to Adobe's services: the request loop (`http`), one module per service, and `client.Client` with all of them.

Nothing here knows Pulumi. Importing this package does not import `requests`.
"""
