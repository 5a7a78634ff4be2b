"""How much clients may ask for in a minute, and how many connections they may hold."""
