"""Words in, architecture out: the five planning agents."""
