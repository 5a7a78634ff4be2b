"""Keys that are kept outside of the database, and what is sealed with them."""
