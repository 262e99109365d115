CREATE INDEX IF NOT EXISTS clients_by_created ON clients (scope ASC, created_at ASC, id ASC);
