CREATE INDEX IF NOT EXISTS deliveries_by_removal ON deliveries (remove_at ASC, id ASC);
