-- What came of running a package's own code, before a simulation of it began; NULL when none was run.

ALTER TABLE simulations ADD COLUMN exercise TEXT;
