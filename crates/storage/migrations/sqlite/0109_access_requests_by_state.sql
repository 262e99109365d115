CREATE INDEX IF NOT EXISTS access_requests_by_state ON access_requests (state, created_at, id);
