CREATE INDEX IF NOT EXISTS invitations_by_expiry ON invitations (expires_at ASC, id ASC);
