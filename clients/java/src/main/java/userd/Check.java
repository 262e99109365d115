package userd;

/**
 * A question: may this user do that?
 *
 * @param subject the id of a user
 * @param permission what they would do
 */
public record Check(String subject, String permission) {}
