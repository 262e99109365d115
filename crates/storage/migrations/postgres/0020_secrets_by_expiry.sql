CREATE INDEX IF NOT EXISTS secrets_by_expiry ON secrets (expires_at ASC, hash ASC);
