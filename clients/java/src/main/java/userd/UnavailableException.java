package userd;

/** Whether the token is good cannot be told now: 503. */
public sealed class UnavailableException extends UserdException permits CredentialsException {
    UnavailableException(String message) {
        super(message, 503, "unavailable");
    }

    UnavailableException(String message, Throwable cause) {
        this(message);
        initCause(cause);
    }
}
