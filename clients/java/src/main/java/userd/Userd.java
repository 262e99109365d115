package userd;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** A userd that is trusted. One for a process; {@code Userd.of("https://users.example").build()}. */
public final class Userd implements AutoCloseable {
    /** Questions that one call may have. */
    private static final int MOST_CHECKS = 1_000;

    private final Settings settings;
    private final Calls calls;
    private final Keys keys = new Keys();
    private final View view;
    private final Feed feed;
    private final Watch watch;
    private final Follower follower;
    private final Map<String, Token> remembered;
    private final Object refreshing = new Object();
    private final AtomicBoolean isRefreshing = new AtomicBoolean();
    private volatile boolean isClosed;

    Userd(Settings settings) {
        this.settings = settings;
        calls = new Calls(settings);
        view = new View(settings.maxEntries());
        feed = new Feed(view, settings.longPoll());
        watch = new Watch(settings);
        follower = new Follower(settings, calls, keys, view, feed, watch);
        remembered = new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Token> eldest) {
                return size() > settings.maxTokens();
            }
        };
        if (settings.keys() != null) {
            keys.fix(settings.keys());
        }
    }

    /** Begins with the issuer of the tokens. */
    public static UserdBuilder of(String issuer) {
        return new UserdBuilder(issuer);
    }

    /** Who calls with this token. Throws {@link InvalidTokenException} (401) or {@link UnavailableException} (503). */
    public Token verify(String token) {
        start();
        Token verified = verifyOffline(token);
        if (view.forbids(verified)) {
            throw new InvalidTokenException("revoked");
        }
        if (!settings.follows() || settings.whenStale() == WhenStale.ACCEPT || isFresh()) {
            return verified;
        }
        if (settings.whenStale() == WhenStale.REFUSE) {
            throw new UnavailableException("the view of revocations is too old");
        }
        introspect(token, verified);
        return verified;
    }

    /** The same from an Authorization header, which may be null. */
    public Token authenticate(String authorization) {
        String[] parts = authorization == null ? new String[0] : authorization.strip().split(" +");
        if (parts.length != 2 || !parts[0].equalsIgnoreCase("bearer")) {
            throw new InvalidTokenException("missing");
        }
        return verify(parts[1]);
    }

    /** Starts the follower, and waits until the view is complete, but not for ever. The first {@link #verify} does it. */
    public void start() {
        if (settings.follows()) {
            follower.start();
        }
    }

    /** How old the view of revocations is, and how the feed goes. */
    public FeedStatus status() {
        return feed.status();
    }

    /** An access token of this service's own account, to call userd with. It is renewed before it ends. */
    public String token() {
        return calls.token();
    }

    /** The same to call another service with: its audience, which must be among the account's. */
    public String token(String resource) {
        return calls.token(resource);
    }

    /** Whether this user may do that, as the service knows now (it needs permissions.check). */
    public boolean check(String subject, String permission) {
        return decision(ask(Map.of("subject", subject, "permission", permission))).allowed();
    }

    /** Several questions in one call, or one for each thousand. */
    public List<Decision> check(List<Check> checks) {
        List<Decision> decisions = new ArrayList<>();
        for (int start = 0; start < checks.size(); start += MOST_CHECKS) {
            decisions.addAll(checkSome(checks.subList(start, Math.min(checks.size(), start + MOST_CHECKS))));
        }
        return decisions;
    }

    private List<Decision> checkSome(List<Check> checks) {
        List<Object> asked = new ArrayList<>();
        checks.forEach(one -> asked.add(Map.of("subject", one.subject(), "permission", one.permission())));
        Map<String, Object> said = ask(Map.of("checks", asked));
        if (!(said.get("results") instanceof List<?> results) || results.size() != checks.size()) {
            throw new UnavailableException("not an answer about permissions");
        }
        return results.stream().map(Userd::decision).toList();
    }

    /** An account, where there is such (it needs users.read). */
    public Optional<User> user(String id) {
        try {
            return Optional.of(User.of(call("GET", "/v1/users/" + Calls.encoded(id), null)));
        } catch (RefusedException refused) {
            if (refused.answered() == 404) {
                return Optional.empty();
            }
            throw refused;
        } catch (IllegalArgumentException wrong) {
            throw new UnavailableException("not an account", wrong);
        }
    }

    /**
     * Any route of userd's with the own token, with a body of JSON or null: the object that it answers. Throws {@link
     * RefusedException} for what it will not do.
     */
    public Map<String, Object> call(String method, String path, Map<String, ?> body) {
        return Calls.read(calls.ask(method, path, body, settings.timeout()));
    }

    /**
     * Hands over what happened, until the thread is interrupted or this is closed. The cursor is stored when a page has
     * been worked through: an event whose handling failed comes again. Throws {@link CursorExpiredException}, and what
     * the handler throws.
     */
    public void events(CursorStore store, Consumer<Event> handler) {
        Iterator<Event> events = events(store);
        while (events.hasNext()) {
            handler.accept(events.next());
        }
    }

    /** The same one by one: an iterator that waits for the next event. */
    public Iterator<Event> events(CursorStore store) {
        return new Events(calls, store, settings.timeout(), () -> isClosed);
    }

    /** Ends the follower. */
    @Override
    public void close() {
        isClosed = true;
        follower.close();
    }

    private boolean isFresh() {
        Duration age = view.age();
        return age != null && age.compareTo(settings.maxAge()) <= 0;
    }

    // --- keys

    private Token verifyOffline(String text) {
        if (!keys.isUsable()) {
            refreshKeys();
        } else if (keys.isDue() && isRefreshing.compareAndSet(false, true)) {
            Thread thread = new Thread(this::refreshBeside, "userd-keys");
            thread.setDaemon(true);
            thread.start();
        }
        if (!keys.isUsable()) {
            throw new UnavailableException("the key set cannot be had");
        }
        try {
            return verifyOnce(text);
        } catch (InvalidTokenException invalid) {
            if (!invalid.reason().equals("unknown_key") || !keys.mayAsk()) {
                throw invalid;
            }
        }
        refreshKeys();
        return verifyOnce(text);
    }

    private Token verifyOnce(String text) {
        Instant now = Instant.now();
        Token known;
        synchronized (remembered) {
            known = remembered.get(text);
        }
        if (known != null && keys.get(known.keyId()) != null) {
            Verifier.checkTimes(known, settings, now);
            return known;
        }
        Token verified = verifiedAnew(text, now);
        synchronized (remembered) {
            remembered.put(text, verified);
        }
        return verified;
    }

    private Token verifiedAnew(String text, Instant now) {
        try {
            return Verifier.verify(text, keys, settings, now);
        } catch (InvalidTokenException wrong) {
            if (wrong.reason().equals("issuer")) {
                watch.isWrong("issuer", wrong.getMessage(), wrong.getMessage());
            }
            throw wrong;
        }
    }

    private void refreshBeside() {
        try {
            refreshKeys();
        } finally {
            isRefreshing.set(false);
        }
    }

    /** Asks for the keys; what is known stays when that fails. */
    private void refreshKeys() {
        synchronized (refreshing) {
            if (!keys.mayAsk()) {
                return;
            }
            keys.asked();
            try {
                HttpResponse<byte[]> answer = calls.get("/.well-known/jwks.json", null, settings.timeout());
                String cacheControl = answer.headers().firstValue("cache-control").orElse("");
                if (keys.replace(Calls.read(answer), cacheControl)) {
                    synchronized (remembered) {
                        remembered.clear();
                    }
                }
                watch.keysAre();
            } catch (UnavailableException | IllegalArgumentException failed) {
                if (!keys.isUsable()) {
                    watch.keysFail(failed.getMessage());
                }
            }
        }
    }

    // --- questions

    private void introspect(String text, Token token) {
        Map<String, Object> said = Calls.read(calls.form("/oauth2/introspect", Map.of("token", text)));
        if (!(said.get("active") instanceof Boolean isActive)) {
            throw new UnavailableException("not an answer about a token");
        }
        if (!isActive || !token.tokenId().equals(said.get("jti"))) {
            throw new InvalidTokenException("revoked");
        }
    }

    private Map<String, Object> ask(Map<String, ?> body) {
        return call("POST", "/v1/permissions/check", body);
    }

    private static Decision decision(Object answer) {
        if (answer instanceof Map<?, ?> said && said.get("allowed") instanceof Boolean allowed) {
            return new Decision(allowed, said.get("reason") instanceof String reason ? reason : "");
        }
        throw new UnavailableException("not an answer about a permission");
    }

    /** What a sign-out does, for the fake issuer. */
    void applyForTests(Map<String, Object> entry) {
        view.apply(List.of(entry), Instant.now());
    }
}
