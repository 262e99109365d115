CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, created_at, id);
