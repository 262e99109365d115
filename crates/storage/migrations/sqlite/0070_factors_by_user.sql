CREATE INDEX IF NOT EXISTS factors_by_user ON factors (user_id, created_at, id);
