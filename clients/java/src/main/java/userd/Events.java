package userd;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.function.BooleanSupplier;

/** The event feed, one event after the other. */
final class Events implements Iterator<Event> {
    private static final Duration WAIT = Duration.ofSeconds(10);

    private final Calls calls;
    private final CursorStore store;
    private final Duration timeout;
    private final BooleanSupplier isClosed;
    private final Queue<Event> page = new ArrayDeque<>();
    private String reached;

    Events(Calls calls, CursorStore store, Duration timeout, BooleanSupplier isClosed) {
        this.calls = calls;
        this.store = store;
        this.timeout = timeout.plus(WAIT);
        this.isClosed = isClosed;
    }

    /** Waits for the next event; false when there will be none, since this was closed or the thread interrupted. */
    @Override
    public boolean hasNext() {
        long pause = 200;
        while (page.isEmpty()) {
            if (isClosed.getAsBoolean() || Thread.currentThread().isInterrupted()) {
                return false;
            }
            if (reached != null) {
                store.save(reached);
                reached = null;
            }
            try {
                read();
            } catch (CredentialsException wrong) {
                throw wrong;
            } catch (UnavailableException away) {
                pause(pause);
                pause = Math.min(2 * pause, 5_000);
            }
        }
        return true;
    }

    @Override
    public Event next() {
        if (!hasNext()) {
            throw new java.util.NoSuchElementException();
        }
        return page.remove();
    }

    private void read() {
        String after = store.load();
        String query = "limit=200&wait=" + WAIT.toSeconds() + (after == null ? "" : "&after=" + Calls.encoded(after));
        HttpResponse<byte[]> answer = calls.ask("GET", "/v1/events?" + query, null, timeout);
        if (answer.statusCode() == 410) {
            throw new CursorExpiredException("the events behind the cursor are gone");
        }
        Map<String, Object> body = Calls.read(answer);
        try {
            List<Event> events = Json.list(body, "items").stream().map(item -> Event.of(Json.map(item))).toList();
            reached = Json.text(body, "next");
            page.addAll(events);
        } catch (IllegalArgumentException wrong) {
            throw new UnavailableException("not a page of events", wrong);
        }
    }

    private static void pause(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }
}
