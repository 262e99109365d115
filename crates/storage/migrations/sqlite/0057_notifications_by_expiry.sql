CREATE INDEX IF NOT EXISTS notifications_by_expiry ON notifications (expires_at, id);
