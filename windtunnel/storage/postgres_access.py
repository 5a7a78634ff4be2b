"""How to come to a PostgreSQL database: as whom, and with how many connections."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Login:
    """Who to be instead of the URL's user, and in which database of the server; its schema is called like the user."""

    user: str
    password: str = field(repr=False)
    database: str


@dataclass(frozen=True, slots=True)
class PoolSize:
    """How many connections at least and at most, and the seconds after which one that is idle is closed.

    At most `transactions` at once: the other connections are always there for single statements. A tenant's mostly wait
    for each other; nobody else should wait for them (`transactions_per_tenant`).
    """

    least: int
    most: int
    transactions: int
    transactions_per_tenant: int
    idle_s: float


AT_HOME = PoolSize(least=1, most=10, transactions=7, transactions_per_tenant=3, idle_s=300.0)
IN_ENVIRONMENTS = PoolSize(least=0, most=3, transactions=2, transactions_per_tenant=2, idle_s=5.0)
"""Many are open at once, and mostly nobody asks anything: none of them keeps a connection."""
