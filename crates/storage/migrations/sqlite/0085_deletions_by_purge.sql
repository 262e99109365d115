CREATE INDEX IF NOT EXISTS deletions_by_purge ON deletions (purge_at, user_id);
