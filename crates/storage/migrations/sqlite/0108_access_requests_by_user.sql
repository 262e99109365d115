CREATE INDEX IF NOT EXISTS access_requests_by_user ON access_requests (user_id, created_at, id);
