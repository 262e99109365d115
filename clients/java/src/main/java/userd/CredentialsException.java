package userd;

/** Userd does not know this service's account by its id and secret. No token can be checked for revocation: 503. */
public final class CredentialsException extends UnavailableException {
    CredentialsException(String told) {
        super("userd refuses the id and the secret of this service's account" + told);
    }
}
