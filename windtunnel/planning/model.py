"""Models behind the Agents SDK: our offline one, and how any answer's text becomes a typed answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from agents import AgentOutputSchema, AgentOutputSchemaBase, ModelBehaviorError, ModelResponse, ModelSettings, Usage
from agents.items import TResponseInputItem, TResponseStreamEvent
from agents.models.interface import Model, ModelTracing
from openai.types.responses import ResponseOutputMessage, ResponseOutputText
from openai.types.responses.response_prompt_param import ResponsePromptParam
from pydantic import ValidationError
from typing_extensions import override

from windtunnel.planning.answers import Message

_WRONG_SHOWN = 5
_LONG_CHARS = 10_000


class OfflineModel(Model):
    """Answers from plain functions: reads the brief from the messages, writes the answer as JSON."""

    def __init__(self, brief: type[Message], answer: Callable[[Any], Message]) -> None:
        self._brief = brief
        self._answer = answer

    @override
    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Any],
        output_schema: Any,
        handoffs: list[Any],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> ModelResponse:
        """Answer the brief in the last user message."""
        asked = _last_message(input)
        brief = self._brief.model_validate_json(asked)
        if len(asked) > _LONG_CHARS:  # tens of milliseconds of work: not in the event loop
            answer = await asyncio.to_thread(self._answer, brief)
        else:
            answer = self._answer(brief)
        text = answer.model_dump_json()
        message = ResponseOutputMessage(
            id="offline",
            type="message",
            role="assistant",
            status="completed",
            content=[ResponseOutputText(text=text, type="output_text", annotations=[])],
        )
        return ModelResponse(output=[message], usage=Usage(requests=1), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> AsyncIterator[TResponseStreamEvent]:
        """Not offered: planning agents do not stream."""
        raise TypeError("The offline model does not stream.")


class AnswerSchema(AgentOutputSchemaBase):
    """The strict JSON schema of an answer, and a reader that is more patient than the schema.

    It takes the JSON out of a Markdown fence or surrounding words, and accepts what pydantic can convert. Raises
    ModelBehaviorError with what does not fit. It holds the SDK's own schema instead of being one: the Runner copies
    that one, a dataclass, field by field, and did so for half of the time of an offline plan.
    """

    def __init__(self, answer: type[Message]) -> None:
        self._answer = answer
        self._strict = AgentOutputSchema(answer)

    @override
    def is_plain_text(self) -> bool:
        """Never: an answer is JSON."""
        return False

    @override
    def name(self) -> str:
        """The name of the answer's type."""
        return self._strict.name()

    @override
    def json_schema(self) -> dict[str, Any]:
        """What an endpoint is given."""
        return self._strict.json_schema()

    @override
    def is_strict_json_schema(self) -> bool:
        """Always: endpoints may hold a model to it."""
        return self._strict.is_strict_json_schema()

    @override
    def validate_json(self, json_str: str) -> Any:
        """The answer in a model's text."""
        start, end = json_str.find("{"), json_str.rfind("}")
        if start < 0 or end < start:
            raise ModelBehaviorError("The answer holds no JSON object.")
        try:
            return self._answer.model_validate_json(json_str[start : end + 1])
        except ValidationError as error:
            wrong = [
                f"{'.'.join(str(part) for part in each['loc']) or 'answer'}: {each['msg']}"
                for each in error.errors(include_url=False, include_input=False)[:_WRONG_SHOWN]
            ]
            raise ModelBehaviorError("; ".join(wrong)) from None


def _last_message(messages: str | list[TResponseInputItem]) -> str:
    if isinstance(messages, str):
        return messages
    last: Any = messages[-1]
    content = last["content"]
    return content if isinstance(content, str) else str(content[0]["text"])
