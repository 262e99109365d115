CREATE INDEX IF NOT EXISTS secrets_by_owner ON secrets (owner_id, purpose, hash);
