"""What clients may ask: the Strawberry types, inputs and the three roots."""
