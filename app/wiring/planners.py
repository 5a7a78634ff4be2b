"""Who plans: the built-in planner, or a model."""

from app.settings import Settings
from windtunnel.domain.planning import Planner


def planner_of(settings: Settings) -> Planner:
    """The planner that the settings choose."""
    from windtunnel.planning import offline_planner, openai_planner

    if not settings.uses_openai or settings.openai_api_key is None:
        return offline_planner()
    return openai_planner(
        model=settings.model,
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key,
        api=settings.model_api,
    )
