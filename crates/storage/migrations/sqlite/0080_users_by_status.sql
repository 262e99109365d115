CREATE INDEX IF NOT EXISTS users_by_status ON users (status, created_at, id);
