-- What an architecture was made from by hand or by calibration, and what differs: a JSON list of sentences. What it was
-- made from may be deleted, and is then nothing but an id.

ALTER TABLE architectures ADD COLUMN based_on VARCHAR(36) CHECK (length(based_on) <= 36);
ALTER TABLE architectures ADD COLUMN changes TEXT NOT NULL DEFAULT '[]';
CREATE INDEX architectures_made_from ON architectures (tenant_id, based_on);
