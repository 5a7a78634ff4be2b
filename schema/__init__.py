"""What clients may ask: Strawberry types, inputs, the three roots, errors as data, descriptions."""

import schema.enums  # noqa: F401 - an enum must be described before the first type uses it
