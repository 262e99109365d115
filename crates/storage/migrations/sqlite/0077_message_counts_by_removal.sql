CREATE INDEX IF NOT EXISTS message_counts_by_removal ON message_counts (remove_at, message_id, slot);
