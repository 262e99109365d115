CREATE INDEX IF NOT EXISTS access_requests_by_expiry ON access_requests (state, expires_at, id);
