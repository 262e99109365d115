CREATE INDEX IF NOT EXISTS invitations_by_token ON invitations (token_hash ASC, id ASC);
