CREATE INDEX IF NOT EXISTS identities_by_user ON identities (user_id, created_at, id);
