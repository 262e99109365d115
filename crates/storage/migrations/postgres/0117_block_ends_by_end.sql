CREATE INDEX IF NOT EXISTS block_ends_by_end ON block_ends (ends_at ASC, user_id ASC);
