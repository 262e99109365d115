CREATE INDEX IF NOT EXISTS access_request_escalations_by_due ON access_request_escalations (due_at ASC, request_id ASC);
