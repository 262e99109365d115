package userd;

/** The call is not genuine, or too old: 400. */
public final class InvalidWebhookException extends UserdException {
    InvalidWebhookException(String message) {
        super(message, 400, "invalid_webhook");
    }
}
