CREATE INDEX IF NOT EXISTS messages_by_removal ON messages (remove_at, id);
