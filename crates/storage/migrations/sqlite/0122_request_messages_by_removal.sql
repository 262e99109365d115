CREATE INDEX IF NOT EXISTS request_messages_by_removal ON request_messages (remove_at, request_id, user_id, message_id);
