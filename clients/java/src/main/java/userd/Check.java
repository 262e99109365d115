package userd;

/**
 * A question: may this user or service do that?
 *
 * @param subject the id of a user or a service account
 * @param permission what they would do
 */
public record Check(String subject, String permission) {}
