package userd;

/** The service refuses a call of ours: most likely this service's account lacks a permission. */
public final class RefusedException extends UserdException {
    private final int answered;

    RefusedException(String path, int answered) {
        super(path + " answered " + answered + ": does the account of this service have the permission?", 500, "refused");
        this.answered = answered;
    }

    /** The status of the answer. */
    public int answered() {
        return answered;
    }
}
