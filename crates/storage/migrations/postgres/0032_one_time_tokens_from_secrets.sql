INSERT INTO one_time_tokens (hash, purpose, owner_id, payload, created_at, expires_at)
SELECT hash, purpose, owner_id, payload, created_at, expires_at FROM secrets
ON CONFLICT DO NOTHING;
