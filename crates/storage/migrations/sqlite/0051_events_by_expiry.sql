CREATE INDEX IF NOT EXISTS events_by_expiry ON events (expires_at, shard, position);
