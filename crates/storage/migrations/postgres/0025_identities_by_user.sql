CREATE INDEX IF NOT EXISTS identities_by_user ON identities (user_id ASC, created_at ASC, id ASC);
