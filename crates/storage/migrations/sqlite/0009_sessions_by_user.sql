CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (user_id, created_at, id);
