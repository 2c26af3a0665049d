"""`pulumi-aep test CONNECTION`: does the source accept the credentials?"""

from typing import Annotated

import typer

from ._output import Json, print_json
from ._session import Session, Stack


def check_credentials(
    connection: Annotated[str, typer.Argument(help="Name or id of a base connection.")],
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Ask whether the source takes the credentials.

    Those of a base connection. Exit code 1 if it does not.

    \b
    Examples:
      pulumi-aep test "Mixpanel web shop"
      pulumi-aep test "Mixpanel web shop" --stack prod --json
    """
    session = Session(stack)
    connection_id = session.identify("BaseConnection", connection)
    works = session.client.flow_service.test(connection_id)
    if as_json:
        print_json({"id": connection_id, "result": works})
    elif works:
        typer.echo(f"{connection}: the source accepts the credentials")
    else:
        typer.echo(
            f"{connection}: the source refuses the credentials. Check auth.params of the base connection, "
            "then run pulumi up and this again.",
            err=True,
        )
    if not works:
        raise typer.Exit(1)
