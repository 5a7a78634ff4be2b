"""Sign-in: who is asking, by which token, and for how long."""
