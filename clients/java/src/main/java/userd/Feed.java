package userd;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** How the feed of revocations is read: what to ask, what an answer means, how long to pause. No network in here. */
final class Feed {
    /** How long to pause, and whether a key was revoked. */
    record Next(Duration pause, boolean keyRevoked) {}

    private static final long SHORTEST_PAUSE = 200;
    private static final long LONGEST_PAUSE = 5_000;
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final View view;
    private final long wait;
    private String cursor;
    private boolean isComplete;
    private int restarts;
    private int failures;
    private String error = "";

    Feed(View view, Duration wait) {
        this.view = view;
        this.wait = wait.toSeconds();
    }

    /** The question. Only who has everything waits. */
    synchronized String query() {
        return "limit=200" + (cursor == null ? "" : "&after=" + Calls.encoded(cursor)) + (isComplete ? "&wait=" + wait : "");
    }

    /** Takes a page. An IllegalArgumentException for nonsense, before the place moves. */
    synchronized Next answered(Map<String, Object> page, Duration took) {
        List<?> items = Json.list(page, "items");
        boolean hasMore = Json.truth(page, "has_more");
        String reached = page.get("next_cursor") == null ? null : Json.text(page, "next_cursor");
        boolean keyRevoked = view.apply(items, Instant.now());
        boolean hasMoved = reached != null && !reached.equals(cursor);
        cursor = reached == null ? cursor : reached;
        failures = 0;
        error = "";
        boolean askedToWait = isComplete;
        isComplete = !hasMore;
        if (hasMore) {
            return new Next(hasMoved ? Duration.ZERO : SECOND, keyRevoked);
        }
        view.complete(Instant.now());
        // A server that does not hold the answer (it is about to stop) is not asked in a loop.
        boolean isHeld = !items.isEmpty() || took.compareTo(SECOND) >= 0 || !askedToWait;
        return new Next(isHeld ? Duration.ZERO : SECOND, keyRevoked);
    }

    /** 410: another feed than before. What is known still counts. */
    synchronized Duration restart() {
        restarts++;
        cursor = null;
        isComplete = false;
        return failed("410", 0);
    }

    /** How long to pause after a failure: longer each time, at random, so that many do not come at once. */
    synchronized Duration failed(String reason, long atLeastSeconds) {
        error = reason;
        long longest = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE << Math.min(failures, 10));
        failures++;
        long pause = ThreadLocalRandom.current().nextLong(longest / 2, longest);
        return Duration.ofMillis(Math.max(Math.min(atLeastSeconds, 30) * 1_000, pause));
    }

    synchronized FeedStatus status() {
        return new FeedStatus(view.age(), view.size(), restarts, view.overflows(), failures, error);
    }
}
