package userd;

/** The events behind the stored cursor are gone: read what you know anew, then start without one. */
public final class CursorExpiredException extends UserdException {
    CursorExpiredException(String message) {
        super(message, 500, "cursor_expired");
    }
}
