CREATE INDEX IF NOT EXISTS deliveries_by_due ON deliveries (queue ASC, due_at ASC, id ASC);
