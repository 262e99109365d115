CREATE INDEX IF NOT EXISTS recovery_codes_by_user ON recovery_codes (user_id, hash);
