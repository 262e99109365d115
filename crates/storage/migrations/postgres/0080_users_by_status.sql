CREATE INDEX IF NOT EXISTS users_by_status ON users (status ASC, created_at ASC, id ASC);
