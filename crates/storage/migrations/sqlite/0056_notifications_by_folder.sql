CREATE INDEX IF NOT EXISTS notifications_by_folder ON notifications (user_id, folder, created_at, id);
