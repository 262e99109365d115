CREATE INDEX IF NOT EXISTS notifications_by_folder ON notifications (user_id ASC, folder ASC, created_at ASC, id ASC);
