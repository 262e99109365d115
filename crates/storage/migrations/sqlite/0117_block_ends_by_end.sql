CREATE INDEX IF NOT EXISTS block_ends_by_end ON block_ends (ends_at, user_id);
