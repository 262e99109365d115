package userd;

/** The token is good and does not allow this: 403. */
public final class ForbiddenException extends UserdException {
    ForbiddenException(String message) {
        super(message, 403, "insufficient_scope");
    }
}
