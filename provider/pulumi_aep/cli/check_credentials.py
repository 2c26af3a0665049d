"""`pulumi-aep test CONNECTION`: does the source accept the credentials?"""

import typer

from ._output import Json, print_json
from ._session import Connection, Session, Stack


def check_credentials(connection: Connection, stack: Stack = None, as_json: Json = False) -> None:
    """Check the credentials of a base connection.

    The service tries them on the source. Exit code 1 if the source refuses them.

    \b
    Examples:
      pulumi-aep test "Mixpanel web shop"
      pulumi-aep test "Mixpanel web shop" --stack prod --json
    """
    session = Session(stack)
    connection_id = session.identify("BaseConnection", connection)
    accepted = session.client.flow_service.test(connection_id)
    if as_json:
        print_json({"id": connection_id, "result": accepted})
    elif accepted:
        typer.echo(f"{connection}: the source accepts the credentials")
    else:
        key = session.secret_key(connection_id, connection)
        remedy = f"If they are wrong: pulumi config set --secret {key}, then pulumi up, and try again."
        typer.echo(f"{connection}: the source refuses the credentials, or it is down. {remedy}", err=True)
    if not accepted:
        raise typer.Exit(1)
