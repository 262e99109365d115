CREATE INDEX IF NOT EXISTS revocations_by_time ON revocations (scope ASC, recorded_at ASC, id ASC);
