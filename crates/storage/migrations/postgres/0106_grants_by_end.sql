CREATE INDEX IF NOT EXISTS grants_by_end ON grants (ends_at ASC, user_id ASC, kind ASC, name ASC);
