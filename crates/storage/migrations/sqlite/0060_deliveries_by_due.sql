CREATE INDEX IF NOT EXISTS deliveries_by_due ON deliveries (queue, due_at, id);
