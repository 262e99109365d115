CREATE INDEX IF NOT EXISTS stream_signals_by_expiry ON stream_signals (expires_at ASC, id ASC);
