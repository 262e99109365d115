CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires_at ASC, id ASC);
