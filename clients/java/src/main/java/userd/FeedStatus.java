package userd;

import java.time.Duration;

/**
 * What is known of the feed of revocations, for logs and health checks.
 *
 * @param age since the service last said that nothing is missing; null before it did
 * @param entries how many revocations are held
 * @param restarts how often the feed was begun anew because it is another one than before: a backup was restored
 * @param overflows how often entries were replaced by a coarser one because there were too many
 * @param failures calls in a row that failed
 * @param error why the last one did: credentials (its id or secret is wrong), its HTTP status (403: it lacks revocations.read),
 *     unreachable, nonsense;
 *     empty where it did not
 */
public record FeedStatus(Duration age, int entries, int restarts, int overflows, int failures, String error) {}
