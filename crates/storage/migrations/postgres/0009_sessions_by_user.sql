CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (user_id ASC, created_at ASC, id ASC);
