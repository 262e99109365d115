CREATE INDEX IF NOT EXISTS claims_by_owner ON claims (owner_id ASC, kind ASC, claim_hash ASC);
