CREATE INDEX IF NOT EXISTS user_terms_by_value ON user_terms (kind, value, user_id, slot);
