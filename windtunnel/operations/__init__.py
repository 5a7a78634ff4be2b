"""One file per verb a user can do."""
