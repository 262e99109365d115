package userd;

/** Anything that this package throws: what went wrong, as an answer needs it. */
public abstract sealed class UserdException extends RuntimeException
        permits CursorExpiredException,
                ForbiddenException,
                InvalidTokenException,
                InvalidWebhookException,
                RefusedException,
                UnavailableException {
    private final int status;
    private final String slug;

    UserdException(String message, int status, String slug) {
        super(message);
        this.status = status;
        this.slug = slug;
    }

    /** The HTTP status for whoever called: 400, 401, 403, 503. */
    public int status() {
        return status;
    }

    /** The stable name of the problem. */
    public String slug() {
        return slug;
    }
}
