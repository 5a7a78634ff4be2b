"""The schema: three roots, every type that only an interface names, our scalars."""

from collections.abc import Callable, Iterable

import strawberry
from graphql import GraphQLSchema
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig

from schema.agent_versions import AgentVersion
from schema.agents import Agent
from schema.architectures import Architecture
from schema.audit import AuditEntry
from schema.deployments import Deployment
from schema.environments import Environment
from schema.errors import USER_ERRORS
from schema.events import EVENTS
from schema.execution import PerEventExecutor
from schema.experiment_root import ExperimentMutation, ExperimentQuery, ExperimentSubscription
from schema.experiments import Experiment
from schema.mutation import Mutation as GeneralMutation
from schema.notifications import Notification
from schema.pipeline_mutation import PipelineMutation
from schema.pipeline_query import PipelineQuery
from schema.pipeline_subscription import PipelineSubscription
from schema.query import Query as GeneralQuery
from schema.reviews import SecurityReview
from schema.rollbacks import Rollback
from schema.scalars import SCALARS
from schema.scenarios import Scenario
from schema.simulations import Simulation
from schema.subscription import Subscription as GeneralSubscription
from schema.telemetry_mutation import TelemetryMutation
from schema.tokens import ApiToken
from schema.viewers import Tenant, User

CONVENTIONS = """\
Windtunnel: plan, simulate and safely ship AI-agent systems.
Conventions (hold for the whole schema):
- Every entity implements Node; ids are opaque and globally unique.
- Lists that can grow are Relay connections (first/after or last/before, 1..100, default 20); cursors are opaque.
- A mutation takes exactly one `input` and returns `<Name>Payload`: the nullable result plus `errors: [UserError!]!`.
  Expected failures are in `errors`; top-level GraphQL errors are only for malformed, unauthenticated, forbidden,
  limited or broken requests, and always carry `extensions.code` (see ErrorCode).
- A mutation whose input has `idempotencyKey` gives the first result again for the same key and input within 24 h.
  The others are idempotent by themselves.
- Operations cost points (see RateLimit): `extensions.cost` of an answer tells how many, and what remains.
- Streams carry a gapless `seq` from 1; pass the last one seen as `after` to resume.
- Enums may gain values: handle unknown ones."""


@strawberry.type(description="Everything that can be read.")
class Query(ExperimentQuery, PipelineQuery, GeneralQuery):
    """The root of queries."""


@strawberry.type(description="Everything that can be done.")
class Mutation(ExperimentMutation, TelemetryMutation, PipelineMutation, GeneralMutation):
    """The root of mutations."""


@strawberry.type(description="Everything that can be followed.")
class Subscription(ExperimentSubscription, PipelineSubscription, GeneralSubscription):
    """The root of subscriptions."""


def build_schema(
    extensions: Iterable[type[SchemaExtension] | Callable[[], SchemaExtension]] = (),
) -> strawberry.Schema:
    """The schema, running with `extensions`, each made anew for every operation."""
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[
            Scenario,
            Simulation,
            Architecture,
            User,
            Tenant,
            ApiToken,
            AuditEntry,
            Notification,
            Environment,
            Agent,
            AgentVersion,
            Deployment,
            SecurityReview,
            Rollback,
            Experiment,
            *EVENTS,
            *USER_ERRORS,
        ],
        extensions=extensions,
        execution_context_class=PerEventExecutor,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    _describe(schema._schema)  # noqa: SLF001 - Strawberry has no parameter for it
    return schema


def _describe(schema: GraphQLSchema) -> None:
    """What Strawberry cannot be told: descriptions of the schema itself and of a directive's argument."""
    schema.description = CONVENTIONS
    requires = schema.get_directive("requires")
    if requires:
        requires.args["anyOf"].description = "One of these roles is enough."
