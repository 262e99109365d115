package userd;

/**
 * An answer to a {@link Check}.
 *
 * @param allowed whether they may
 * @param reason why, or why not
 */
public record Decision(boolean allowed, String reason) {}
