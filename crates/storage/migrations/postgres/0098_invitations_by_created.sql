CREATE INDEX IF NOT EXISTS invitations_by_created ON invitations (created_at ASC, id ASC);
