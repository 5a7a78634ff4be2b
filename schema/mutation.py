"""The root of mutations: one input in, one payload out."""

from typing import Annotated

import strawberry

from resolvers import environments, flags, notifications, production, scenarios, simulations, tokens, viewers, webhooks
from schema.environment_verbs import (
    DeleteEnvironmentInput,
    DeleteEnvironmentPayload,
    ExtendEnvironmentInput,
    ExtendEnvironmentPayload,
    PauseEnvironmentInput,
    PauseEnvironmentPayload,
    ProvisionEnvironmentInput,
    ProvisionEnvironmentPayload,
    RefreshEnvironmentInput,
    RefreshEnvironmentPayload,
    ResumeEnvironmentInput,
    ResumeEnvironmentPayload,
    SetMinimumIsolationInput,
    SetMinimumIsolationPayload,
    raw_environment,
)
from schema.environments import Environment
from schema.fields import mutation
from schema.flags import FeatureFlag, SetFeatureFlagInput, SetFeatureFlagPayload
from schema.ids import Kind, demand, encode
from schema.info import Info, given
from schema.notifications import MarkNotificationsReadInput, MarkNotificationsReadPayload
from schema.production import ConfigureProductionInput, ConfigureProductionPayload, Production
from schema.simulate import (
    CancelSimulationInput,
    CancelSimulationPayload,
    DeleteScenarioInput,
    DeleteScenarioPayload,
    InjectFailureInput,
    InjectFailurePayload,
    SimulateInput,
    SimulatePayload,
)
from schema.simulations import Simulation
from schema.tokens import (
    IssueApiTokenInput,
    IssueApiTokenPayload,
    RevokeApiTokenInput,
    RevokeApiTokenPayload,
    SetMemberRolesInput,
    SetMemberRolesPayload,
)
from schema.viewers import Tenant, User
from schema.webhooks import (
    DeleteWebhookInput,
    DeleteWebhookPayload,
    RegisterWebhookInput,
    RegisterWebhookPayload,
)
from windtunnel.domain.permissions import Action

_INPUT = strawberry.argument(description="What to do, in full.")


@strawberry.type(description="Everything that can be done.")
class Mutation:
    """One field for each verb."""

    @mutation(
        Action.SIMULATE,
        "Store a scenario, plan its agent network and start simulating it. "
        "Returns once `waitFor` is reached (default: the architecture is planned).",
    )
    async def simulate(self, info: Info, input: Annotated[SimulateInput, _INPUT]) -> SimulatePayload:
        """The main job."""
        return SimulatePayload(simulation=Simulation.of(await simulations.start(info.context, input.request())))

    @mutation(
        Action.CANCEL_SIMULATION,
        "Stop a simulation that is not over; what has happened so far stays.",
    )
    async def cancel_simulation(
        self, info: Info, input: Annotated[CancelSimulationInput, _INPUT]
    ) -> CancelSimulationPayload:
        """At once, whoever conducts it."""
        raw = demand(Kind.SIMULATION, input.simulation_id, ("input", "simulation_id"))
        return CancelSimulationPayload(simulation=Simulation.of(await simulations.cancel(info.context, raw)))

    @mutation(
        Action.DELETE_SCENARIO,
        "Delete a scenario with its simulations, architectures and events.",
    )
    async def delete_scenario(self, info: Info, input: Annotated[DeleteScenarioInput, _INPUT]) -> DeleteScenarioPayload:
        """For good."""
        raw = demand(Kind.SCENARIO, input.scenario_id, ("input", "scenario_id"))
        return DeleteScenarioPayload(deleted_id=encode(Kind.SCENARIO, await scenarios.delete(info.context, raw)))

    @mutation(
        Action.INJECT_FAILURE,
        "Inject a failure into a run that is under way.",
    )
    async def inject_failure(self, info: Info, input: Annotated[InjectFailureInput, _INPUT]) -> InjectFailurePayload:
        """It shows for certain."""
        raw = demand(Kind.SIMULATION, input.simulation_id, ("input", "simulation_id"))
        found = await simulations.inject(
            info.context, raw, input.code, given(input.target), given(input.idempotency_key)
        )
        return InjectFailurePayload(simulation=Simulation.of(found))

    @mutation(
        Action.PROVISION_ENVIRONMENT,
        "Provision an isolated environment mirroring production (at most 10 per tenant, at most 7 days). "
        "Answers at once; it is READY within seconds.",
    )
    async def provision_environment(
        self, info: Info, input: Annotated[ProvisionEnvironmentInput, _INPUT]
    ) -> ProvisionEnvironmentPayload:
        """A worker makes it."""
        made = await environments.provision(info.context, input.request())
        return ProvisionEnvironmentPayload(environment=Environment.of(made))

    @mutation(Action.EXTEND_ENVIRONMENT, "Give an environment another end, at most 7 days after it was asked for.")
    async def extend_environment(
        self, info: Info, input: Annotated[ExtendEnvironmentInput, _INPUT]
    ) -> ExtendEnvironmentPayload:
        """Before its time is over."""
        raw, key = raw_environment(input.environment_id), given(input.idempotency_key)
        found = await environments.extend(info.context, raw, input.lifetime, key)
        return ExtendEnvironmentPayload(environment=Environment.of(found))

    @mutation(
        Action.PAUSE_ENVIRONMENT,
        "Pause an environment: what runs in it is cancelled, what waits goes on waiting, its data stay. "
        "Its time goes on, and it counts as one of the tenant's.",
    )
    async def pause_environment(
        self, info: Info, input: Annotated[PauseEnvironmentInput, _INPUT]
    ) -> PauseEnvironmentPayload:
        """Nothing can be begun in it."""
        found = await environments.pause(info.context, raw_environment(input.environment_id))
        return PauseEnvironmentPayload(environment=Environment.of(found))

    @mutation(Action.RESUME_ENVIRONMENT, "Resume a paused environment: what waits in it runs.")
    async def resume_environment(
        self, info: Info, input: Annotated[ResumeEnvironmentInput, _INPUT]
    ) -> ResumeEnvironmentPayload:
        """The reverse of pausing."""
        found = await environments.resume(info.context, raw_environment(input.environment_id))
        return ResumeEnvironmentPayload(environment=Environment.of(found))

    @mutation(Action.REFRESH_ENVIRONMENT, "Take a new snapshot of production's configuration; there is no drift then.")
    async def refresh_environment(
        self, info: Info, input: Annotated[RefreshEnvironmentInput, _INPUT]
    ) -> RefreshEnvironmentPayload:
        """As it is now."""
        raw, key = raw_environment(input.environment_id), given(input.idempotency_key)
        found = await environments.refresh(info.context, raw, key)
        return RefreshEnvironmentPayload(environment=Environment.of(found))

    @mutation(
        Action.DELETE_ENVIRONMENT,
        "Delete an environment with everything in it. Idempotent. DELETED only once every resource is proven absent.",
    )
    async def delete_environment(
        self, info: Info, input: Annotated[DeleteEnvironmentInput, _INPUT]
    ) -> DeleteEnvironmentPayload:
        """A worker takes it away."""
        found = await environments.delete(info.context, raw_environment(input.environment_id))
        return DeleteEnvironmentPayload(environment=Environment.of(found))

    @mutation(
        Action.SET_MINIMUM_ISOLATION,
        "Set how well code of packages must be kept in for any to run in the tenant's environments; in force at once.",
    )
    async def set_minimum_isolation(
        self, info: Info, input: Annotated[SetMinimumIsolationInput, _INPUT]
    ) -> SetMinimumIsolationPayload:
        """Recorded."""
        await environments.set_minimum(info.context, input.minimum)
        return SetMinimumIsolationPayload(tenant=Tenant.of(viewers.viewer(info.context).tenant))

    @mutation(
        Action.SET_FEATURE_FLAG,
        "Switch a feature on or off, and say for whom it is there; in force at once. "
        "Setting what is set already changes nothing.",
    )
    async def set_feature_flag(
        self, info: Info, input: Annotated[SetFeatureFlagInput, _INPUT]
    ) -> SetFeatureFlagPayload:
        """Recorded."""
        return SetFeatureFlagPayload(flag=FeatureFlag.of(await flags.set_flag(info.context, *input.change())))

    @mutation(
        Action.SET_MEMBER_ROLES,
        "Set the roles of a person in this tenant; a token never has more than its person.",
    )
    async def set_member_roles(
        self, info: Info, input: Annotated[SetMemberRolesInput, _INPUT]
    ) -> SetMemberRolesPayload:
        """What they follow with roles that they lose ends."""
        person = await tokens.set_roles(info.context, input.email, input.roles, given(input.idempotency_key))
        return SetMemberRolesPayload(user=User.of(person))

    @mutation(Action.MARK_NOTIFICATIONS_READ, "Mark notifications of the viewer as read.")
    async def mark_notifications_read(
        self, info: Info, input: Annotated[MarkNotificationsReadInput, _INPUT]
    ) -> MarkNotificationsReadPayload:
        """Nobody else's."""
        await notifications.mark_read(info.context, input.raw_ids(), given(input.through_seq))
        return MarkNotificationsReadPayload()

    @mutation(Action.ISSUE_API_TOKEN, "Issue a token for a program; its secret is shown once.")
    async def issue_api_token(self, info: Info, input: Annotated[IssueApiTokenInput, _INPUT]) -> IssueApiTokenPayload:
        """For the viewer, or for somebody else of the tenant."""
        issued = await tokens.issue(info.context, input.request(), given(input.idempotency_key))
        return IssueApiTokenPayload.of(issued)

    @mutation(Action.REVOKE_API_TOKEN, "Take a token back: it signs nobody in, and what it follows ends.")
    async def revoke_api_token(
        self, info: Info, input: Annotated[RevokeApiTokenInput, _INPUT]
    ) -> RevokeApiTokenPayload:
        """At once here, within seconds everywhere."""
        raw = demand(Kind.API_TOKEN, input.token_id, ("input", "token_id"))
        return RevokeApiTokenPayload(revoked_id=encode(Kind.API_TOKEN, await tokens.revoke(info.context, raw)))

    @mutation(Action.REGISTER_WEBHOOK, "Have notifications posted to a URL; the secret that signs them is shown once.")
    async def register_webhook(
        self, info: Info, input: Annotated[RegisterWebhookInput, _INPUT]
    ) -> RegisterWebhookPayload:
        """Of everything that happens from now on."""
        registered = await webhooks.register(info.context, input.url, input.kinds, given(input.idempotency_key))
        return RegisterWebhookPayload.of(registered)

    @mutation(Action.DELETE_WEBHOOK, "Delete a webhook: nothing is sent to it any more, what waits included.")
    async def delete_webhook(self, info: Info, input: Annotated[DeleteWebhookInput, _INPUT]) -> DeleteWebhookPayload:
        """With the record of its deliveries."""
        raw = demand(Kind.WEBHOOK, input.webhook_id, ("input", "webhook_id"))
        return DeleteWebhookPayload(deleted_id=encode(Kind.WEBHOOK, await webhooks.delete(info.context, raw)))

    @mutation(Action.CONFIGURE_PRODUCTION, "Change how production is configured: set entries, unset others, at once.")
    async def configure_production(
        self, info: Info, input: Annotated[ConfigureProductionInput, _INPUT]
    ) -> ConfigureProductionPayload:
        """What is so already changes nothing."""
        snapshot = await production.configure(
            info.context, input.wanted(), given(input.unset) or (), given(input.idempotency_key)
        )
        return ConfigureProductionPayload(production=Production.of(snapshot))
