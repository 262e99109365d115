CREATE INDEX IF NOT EXISTS users_by_created ON users (created_at ASC, id ASC);
