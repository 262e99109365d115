package userd;

import java.util.Map;

/** The service refuses a call of ours, however often it is made. The message says why, where it said so. */
public final class RefusedException extends UserdException {
    private final int answered;
    private final transient Map<String, Object> problem;

    RefusedException(String path, int answered, Map<String, Object> problem) {
        super(path + " answered " + answered + Calls.told(problem) + hint(answered), 500, "refused");
        this.answered = answered;
        this.problem = problem;
    }

    private static String hint(int answered) {
        return answered == 403 ? "; does the account of this service have the permission?" : "";
    }

    /** The status of the answer. */
    public int answered() {
        return answered;
    }

    /** What it says (RFC 9457): {@code type}, {@code title}, {@code detail}, {@code errors}; empty where that cannot be read. */
    public Map<String, Object> problem() {
        return problem;
    }
}
