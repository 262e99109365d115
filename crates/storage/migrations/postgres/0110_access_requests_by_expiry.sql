CREATE INDEX IF NOT EXISTS access_requests_by_expiry ON access_requests (state ASC, expires_at ASC, id ASC);
