"""Reading a scenario: language, clauses, concepts and people, without any model."""
