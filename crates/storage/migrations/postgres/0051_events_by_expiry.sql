CREATE INDEX IF NOT EXISTS events_by_expiry ON events (expires_at ASC, shard ASC, position ASC);
