"""How a field is answered: context and plain arguments in, domain objects out."""
