"""An OpenAI-compatible endpoint: its client, its two dialects, and what its failures are called."""

import httpx2
import openai
from agents import OpenAIChatCompletionsModel, OpenAIResponsesModel
from agents.exceptions import AgentsException
from agents.models.interface import Model
from openai import AsyncOpenAI

_CONNECT_TIMEOUT_S = 5.0
_TOO_MANY = 429
_SERVER_ERROR = 500

SENTENCES = {
    "MODEL_TIMEOUT": "did not answer in time",
    "MODEL_RATE_LIMITED": "refused for too many requests",
    "MODEL_REFUSED": "refused the request",
    "MODEL_UNAVAILABLE": "failed",
    "MODEL_UNREACHABLE": "could not be reached",
    "MODEL_NONSENSE": "gave no usable answer, also when asked again",
}
"""Warning codes, and what each says of the model endpoint."""


def client_for(base_url: str | None, api_key: str, read_timeout_s: float) -> AsyncOpenAI:
    """A client with short time limits; repeating is ours, since the client would obey any Retry-After."""
    return AsyncOpenAI(
        api_key=api_key,
        base_url=base_url,
        timeout=httpx2.Timeout(read_timeout_s, connect=min(_CONNECT_TIMEOUT_S, read_timeout_s)),
        max_retries=0,
    )


def model_for(client: AsyncOpenAI, model: str, api: str) -> Model:
    """The SDK's model for a dialect: `responses` or `chat`."""
    if api == "chat":
        return OpenAIChatCompletionsModel(model, client)
    return OpenAIResponsesModel(model, client)


def lacks_dialect(error: openai.APIStatusError) -> bool:
    """True when the endpoint answers that it does not know the address: it speaks the other dialect."""
    return error.status_code in {404, 405, 501}


def wait_before_retry(error: openai.APIStatusError, at_most_s: float) -> float | None:
    """Seconds to wait before asking once more; None when asking again is no use."""
    if error.status_code != _TOO_MANY and error.status_code < _SERVER_ERROR:
        return None
    asked = error.response.headers.get("retry-after", "")
    return min(float(asked), at_most_s) if asked.isdecimal() else at_most_s


def is_nonsense(error: BaseException) -> bool:
    """True when there was an answer and it could not be used; asking again may help."""
    if isinstance(error, openai.OpenAIError):
        return isinstance(error, openai.APIResponseValidationError)
    return isinstance(error, AgentsException | ValueError | TypeError | LookupError | AttributeError)


def code_of(error: BaseException) -> str:
    """The warning code for a failure of the endpoint."""
    if isinstance(error, TimeoutError | openai.APITimeoutError):
        return "MODEL_TIMEOUT"
    if isinstance(error, openai.RateLimitError):
        return "MODEL_RATE_LIMITED"
    if isinstance(error, openai.APIStatusError):
        return "MODEL_UNAVAILABLE" if error.status_code >= _SERVER_ERROR else "MODEL_REFUSED"
    if isinstance(error, openai.APIConnectionError):
        return "MODEL_UNREACHABLE"
    return "MODEL_NONSENSE" if is_nonsense(error) else "MODEL_UNAVAILABLE"
