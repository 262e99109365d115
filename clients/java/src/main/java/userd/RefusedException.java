package userd;

/** The service refuses a call of ours: most likely this service's account lacks a permission. */
public final class RefusedException extends UserdException {
    RefusedException(String message) {
        super(message, 500, "refused");
    }
}
