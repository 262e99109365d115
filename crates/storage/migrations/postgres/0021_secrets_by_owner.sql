CREATE INDEX IF NOT EXISTS secrets_by_owner ON secrets (owner_id ASC, purpose ASC, hash ASC);
