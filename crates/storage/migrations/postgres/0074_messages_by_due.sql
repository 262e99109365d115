CREATE INDEX IF NOT EXISTS messages_by_due ON messages (state ASC, due_at ASC, id ASC);
