package userd;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The key set as it is known, and when to ask for it again. Times are nanoseconds of {@link System#nanoTime()}. */
final class Keys {
    /** Strangers' key ids and faults make us ask no more often than this. */
    private static final long REFRESH_INTERVAL = Duration.ofSeconds(5).toNanos();
    private static final long LONGEST_STALE = Duration.ofDays(1).toNanos();
    private static final Pattern MAX_AGE = Pattern.compile("max-age=(\\d{1,6})");

    private volatile Map<String, Key> keys = Map.of();
    private volatile boolean isFixed;
    private Long fetchedAt;
    private Long freshUntil;
    private Long askedAt;

    void fix(Map<String, Object> document) {
        keys = parse(document);
        isFixed = true;
    }

    Key get(String kid) {
        return keys.get(kid);
    }

    synchronized boolean isUsable() {
        return isFixed || (fetchedAt != null && System.nanoTime() - fetchedAt < LONGEST_STALE);
    }

    synchronized boolean isDue() {
        return (freshUntil == null || System.nanoTime() - freshUntil >= 0) && mayAsk();
    }

    synchronized boolean mayAsk() {
        return !isFixed && (askedAt == null || System.nanoTime() - askedAt >= REFRESH_INTERVAL);
    }

    synchronized void asked() {
        askedAt = System.nanoTime();
    }

    /** A key was revoked: the set has changed. */
    synchronized void expire() {
        freshUntil = null;
        askedAt = null;
    }

    /** Takes another set; whether there are other keys in it. */
    synchronized boolean replace(Map<String, Object> document, String cacheControl) {
        Map<String, Key> fresh = parse(document);
        Matcher found = MAX_AGE.matcher(cacheControl);
        long seconds = found.find() ? Math.min(Long.parseLong(found.group(1)), 3_600) : 300;
        boolean isOther = !fresh.keySet().equals(keys.keySet());
        keys = fresh;
        fetchedAt = System.nanoTime();
        freshUntil = fetchedAt + Duration.ofSeconds(seconds).toNanos();
        return isOther;
    }

    private static Map<String, Key> parse(Map<String, Object> document) {
        Map<String, Key> keys = new HashMap<>();
        for (Object member : Json.list(document, "keys")) {
            if (member instanceof Map<?, ?> jwk) {
                Map<String, Object> members = new HashMap<>();
                jwk.forEach((name, value) -> members.put(String.valueOf(name), value));
                Key key = Key.of(members);
                if (key != null) {
                    keys.put(Json.text(jwk, "kid"), key);
                }
            }
        }
        return Map.copyOf(keys);
    }
}
