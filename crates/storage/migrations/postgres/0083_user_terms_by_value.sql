CREATE INDEX IF NOT EXISTS user_terms_by_value ON user_terms (kind ASC, value ASC, user_id ASC, slot ASC);
