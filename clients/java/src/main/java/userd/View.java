package userd;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Which tokens died before their time, and how old that knowledge is. Written by the follower, read by everybody. */
final class View {
    private record Subject(String kind, String id) {}

    /** The least version that is still accepted (where all is dead, more than any), when that was recorded, until when it counts. */
    private record Entry(long least, Instant recordedAt, Instant until) {
        Entry and(Entry other) {
            return new Entry(
                    Math.max(least, other.least), later(recordedAt, other.recordedAt), later(until, other.until));
        }
    }

    private final int max;
    private final Map<Subject, Entry> entries = new ConcurrentHashMap<>();
    private volatile Instant issuedBefore = Instant.EPOCH;
    private volatile Long completeAt;
    private volatile int overflows;

    View(int maxEntries) {
        max = maxEntries;
    }

    boolean forbids(Token token) {
        if (token.roles().stream().anyMatch(role -> allowsLess(role, token))) {
            return true;
        }
        if (token.issuedAt().isBefore(issuedBefore) || has("key", token.keyId(), token) || has("token", token.tokenId(), token)) {
            return true;
        }
        return token.isService()
                ? has("client", token.clientId(), token)
                : has("session", token.sessionId(), token) || has("user", token.subject(), token);
    }

    private boolean has(String kind, String id, Token token) {
        return isOld(kind, id, token.version());
    }

    /** Whether a role of the token does. A token without its version is from before there were any. */
    private boolean allowsLess(String role, Token token) {
        return isOld("role", role, token.roleVersions().getOrDefault(role, 0L));
    }

    private boolean isOld(String kind, String id, long version) {
        Entry entry = entries.get(new Subject(kind, id));
        return entry != null && version < entry.least();
    }

    /** Takes entries; one may come twice. Whether a key is among them. An IllegalArgumentException for nonsense. */
    synchronized boolean apply(List<?> items, Instant now) {
        boolean hasKey = false;
        for (Object item : items) {
            Map<?, ?> entry = Json.map(item);
            take(entry);
            hasKey |= "key".equals(entry.get("kind"));
        }
        if (entries.size() > max) {
            forget(now);
        }
        if (entries.size() > max) {
            coarsen(max / 2);
        }
        return hasKey;
    }

    private void take(Map<?, ?> entry) {
        String kind = Json.text(entry, "kind");
        switch (kind) {
            case "session" -> put(kind, "session_id", Long.MAX_VALUE, entry);
            case "token" -> put(kind, "token_id", Long.MAX_VALUE, entry);
            case "key" -> put(kind, "kid", Long.MAX_VALUE, entry);
            case "user" -> put(kind, "user_id", Json.whole(entry, "min_epoch"), entry);
            case "client" -> put(kind, "client_id", Json.whole(entry, "before"), entry);
            case "role" -> put(kind, "role", Json.whole(entry, "min_version"), entry);
            case "all" -> raise(time(entry, "issued_before").truncatedTo(ChronoUnit.SECONDS));
            default -> {
                // Not known yet.
            }
        }
    }

    private void put(String kind, String idName, long least, Map<?, ?> entry) {
        Entry made = new Entry(least, time(entry, "recorded_at"), time(entry, "expires_at"));
        entries.merge(new Subject(kind, Json.text(entry, idName)), made, Entry::and);
    }

    private void raise(Instant moment) {
        issuedBefore = later(issuedBefore, moment);
    }

    /**
     * The older ones become "all that was issued until then": it refuses more, never less. Keys and roles stay: they touch
     * tokens that are issued later too.
     */
    private void coarsen(int keep) {
        List<Map.Entry<Subject, Entry>> others = new ArrayList<>(entries.entrySet());
        others.removeIf(one -> List.of("key", "role").contains(one.getKey().kind()));
        others.sort(Comparator.comparing(one -> one.getValue().recordedAt()));
        for (Map.Entry<Subject, Entry> one : others.subList(0, Math.max(0, others.size() - keep))) {
            raise(one.getValue().recordedAt().truncatedTo(ChronoUnit.SECONDS).plusSeconds(1));
            entries.remove(one.getKey());
        }
        overflows++;
    }

    /** The service has said that nothing is missing. */
    void complete(Instant now) {
        completeAt = System.nanoTime();
        forget(now);
    }

    private void forget(Instant now) {
        entries.values().removeIf(entry -> !entry.until().isAfter(now));
    }

    /** How old it is; null before it was complete. */
    Duration age() {
        Long since = completeAt;
        return since == null ? null : Duration.ofNanos(System.nanoTime() - since);
    }

    int size() {
        return entries.size();
    }

    int overflows() {
        return overflows;
    }

    private static Instant time(Map<?, ?> entry, String name) {
        try {
            return OffsetDateTime.parse(Json.text(entry, name)).toInstant();
        } catch (java.time.DateTimeException wrong) {
            throw new IllegalArgumentException(name, wrong);
        }
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }
}
