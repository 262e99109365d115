package userd;

/** What happens while the view of revocations is too old. */
public enum WhenStale {
    /** Nobody can tell: 503. */
    REFUSE,
    /** The signature alone is trusted. */
    ACCEPT,
    /** The service is asked about each token. */
    INTROSPECT
}
