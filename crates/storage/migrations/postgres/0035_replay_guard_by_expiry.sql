CREATE INDEX IF NOT EXISTS replay_guard_by_expiry ON replay_guard (expires_at ASC, hash ASC);
