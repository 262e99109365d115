CREATE INDEX IF NOT EXISTS access_requests_by_user ON access_requests (user_id ASC, created_at ASC, id ASC);
