CREATE INDEX IF NOT EXISTS revocations_by_time ON revocations (scope, recorded_at, id);
