CREATE INDEX IF NOT EXISTS one_time_tokens_by_owner ON one_time_tokens (owner_id ASC, purpose ASC, hash ASC);
