CREATE INDEX IF NOT EXISTS stream_signals_by_number ON stream_signals (stream_id, number, id);
