CREATE INDEX IF NOT EXISTS factors_by_user ON factors (user_id ASC, created_at ASC, id ASC);
