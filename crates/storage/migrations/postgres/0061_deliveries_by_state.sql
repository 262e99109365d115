CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state ASC, created_at ASC, id ASC);
