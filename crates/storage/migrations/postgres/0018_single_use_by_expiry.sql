CREATE INDEX IF NOT EXISTS single_use_by_expiry ON single_use (expires_at ASC, hash ASC);
