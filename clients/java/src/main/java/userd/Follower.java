package userd;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The thread that follows the feed of revocations. */
final class Follower {
    private final Settings settings;
    private final Calls calls;
    private final Keys keys;
    private final View view;
    private final Feed feed;
    private final Watch watch;
    private final CountDownLatch ready = new CountDownLatch(1);
    private Thread thread;
    private boolean isClosed;
    private long startedAt;

    Follower(Settings settings, Calls calls, Keys keys, View view, Feed feed, Watch watch) {
        this.settings = settings;
        this.calls = calls;
        this.keys = keys;
        this.view = view;
        this.feed = feed;
        this.watch = watch;
    }

    /** Starts it, and waits until the view is complete, but not for ever. */
    void start() {
        if (ready.getCount() == 0) {
            return;
        }
        try {
            ready.await(startedAt() + settings.timeout().toNanos() - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    /** When it was started; now, if it was not. */
    private synchronized long startedAt() {
        if (thread == null && !isClosed) {
            startedAt = System.nanoTime();
            thread = new Thread(this::follow, "userd-revocations");
            thread.setDaemon(true);
            thread.start();
        }
        return startedAt;
    }

    synchronized void close() {
        isClosed = true;
        if (thread != null) {
            thread.interrupt();
        }
    }

    private void follow() {
        while (!Thread.currentThread().isInterrupted()) {
            Duration pause = poll();
            if (view.age() != null) {
                ready.countDown();
            }
            try {
                Thread.sleep(pause.toMillis());
            } catch (InterruptedException ended) {
                return;
            }
        }
    }

    private Duration poll() {
        long began = System.nanoTime();
        try {
            String token = calls.token();
            Duration timeout = settings.longPoll().plus(settings.timeout());
            HttpResponse<byte[]> answer = calls.get("/v1/revocations?" + feed.query(), token, timeout);
            switch (answer.statusCode()) {
                case 200 -> {
                    Feed.Next next = feed.answered(Calls.read(answer), Duration.ofNanos(System.nanoTime() - began));
                    if (next.keyRevoked()) {
                        keys.expire();
                    }
                    watch.feedGoes();
                    return next.pause();
                }
                case 410 -> {
                    return feed.restart();
                }
                default -> {
                    if (answer.statusCode() == 401) {
                        // The revocation can be of the key that signed our own token.
                        calls.dropToken(token);
                    }
                    String after = answer.headers().firstValue("retry-after").orElse("");
                    long seconds = after.matches("[0-9]{1,4}") ? Long.parseLong(after) : 0;
                    return failed(String.valueOf(answer.statusCode()), Calls.told(Calls.problem(answer)), seconds);
                }
            }
        } catch (CredentialsException wrong) {
            return failed("credentials", ": " + wrong.getMessage(), 0);
        } catch (RefusedException refused) {
            return failed(String.valueOf(refused.answered()), ": " + refused.getMessage(), 0);
        } catch (UnavailableException failed) {
            String reason = failed.getCause() instanceof IllegalArgumentException ? "nonsense" : "unreachable";
            return failed(reason, ": " + failed.getMessage(), 0);
        } catch (IllegalArgumentException wrong) {
            return failed("nonsense", ": " + wrong.getMessage(), 0);
        }
    }

    private Duration failed(String reason, String more, long atLeast) {
        if (!Thread.currentThread().isInterrupted()) {
            watch.feedFails(reason, more);
        }
        return feed.failed(reason, atLeast);
    }
}
