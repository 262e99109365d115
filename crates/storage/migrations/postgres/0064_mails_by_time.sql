CREATE INDEX IF NOT EXISTS mails_by_time ON mails (created_at ASC, id ASC);
