CREATE INDEX IF NOT EXISTS request_messages_by_removal ON request_messages (remove_at ASC, request_id ASC, user_id ASC, message_id ASC);
