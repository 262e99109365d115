CREATE INDEX IF NOT EXISTS further_emails_by_user ON further_emails (user_id, created_at, id);
