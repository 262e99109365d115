CREATE INDEX IF NOT EXISTS messages_by_due ON messages (state, due_at, id);
