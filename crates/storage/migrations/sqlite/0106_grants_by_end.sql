CREATE INDEX IF NOT EXISTS grants_by_end ON grants (ends_at, user_id, kind, name);
