package userd;

/** The token is not good: 401. The reason is for logs; callers need not know more. */
public final class InvalidTokenException extends UserdException {
    private final String reason;

    InvalidTokenException(String reason) {
        super("the token is not good: " + reason, 401, "invalid_token");
        this.reason = reason;
    }

    InvalidTokenException(String reason, String more) {
        super("the token is not good: " + reason + ": " + more, 401, "invalid_token");
        this.reason = reason;
    }

    /**
     * malformed, type, algorithm, unknown_key, signature, claims, issuer, audience, expired, not_yet_valid, revoked or
     * missing.
     */
    public String reason() {
        return reason;
    }
}
