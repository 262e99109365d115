CREATE INDEX IF NOT EXISTS identities_by_provider ON identities (provider ASC, id ASC);
