CREATE INDEX IF NOT EXISTS mails_by_expiry ON mails (expires_at, id);
