INSERT INTO replay_guard (hash, purpose, expires_at)
SELECT hash, purpose, expires_at FROM single_use
ON CONFLICT DO NOTHING;
