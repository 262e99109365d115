CREATE INDEX IF NOT EXISTS further_emails_by_user ON further_emails (user_id ASC, created_at ASC, id ASC);
