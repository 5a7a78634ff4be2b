"""What a client sent is not said again in an error: it may be a secret, and clients write errors into their logs."""

import re

from graphql import GraphQLError

_ECHO = re.compile(
    r"(?P<end>[.?]) Found: .*"
    r"|[,;] found: .*"
    r"|(?P<value>(?:String|Int|Float|Boolean|ID) cannot represent [^:]*value): .*"
    r"|(?P<token>(?:found|Unexpected) (?:Block)?(?:String|Int|Float)) '.*",
    re.DOTALL,
)
"""How graphql-core's errors end that quote a value; names of fields, types and enum values stay."""


def unechoed(error: GraphQLError) -> GraphQLError:
    """The same error, one of graphql-core's, without the value that it complains of; its place is still told."""
    error.message = _ECHO.sub(lambda found: found["end"] or f"{found['value'] or found['token'] or ''}.", error.message)
    return error
