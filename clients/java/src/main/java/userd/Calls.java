package userd;

import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Calls of the service: with a time limit, without redirects, with the own account's token. */
final class Calls {
    private final Settings settings;
    private final HttpClient http;
    /** By resource. */
    private final Map<String, Own> own = new ConcurrentHashMap<>();

    Calls(Settings settings) {
        this.settings = settings;
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(settings.timeout())
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
    }

    HttpResponse<byte[]> get(String path, String token, Duration timeout) {
        HttpRequest.Builder request = request(path);
        return send(token == null ? request : request.header("Authorization", "Bearer " + token), timeout);
    }

    /** A form, with the account's id and secret. */
    HttpResponse<byte[]> form(String path, Map<String, String> fields) {
        if (!settings.follows()) {
            throw new UnavailableException("client id and secret are not set");
        }
        String pair = settings.clientId() + ":" + settings.clientSecret();
        String basic = Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
        String body = fields.entrySet().stream()
                .map(field -> field.getKey() + "=" + encoded(field.getValue()))
                .collect(Collectors.joining("&"));
        HttpRequest.Builder request = request(path)
                .header("Authorization", "Basic " + basic)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(BodyPublishers.ofString(body));
        return send(request, settings.timeout());
    }

    /** With the own token; once more with a new one where that is refused. */
    HttpResponse<byte[]> ask(String method, String path, Map<String, ?> body, Duration timeout) {
        String token = token();
        HttpResponse<byte[]> answer = ask(method, path, body, timeout, token);
        if (answer.statusCode() == 401) {
            dropToken(token);
            answer = ask(method, path, body, timeout, token());
        }
        return mustBeGood(path, answer);
    }

    /** Throws where it will not do it, however often it is asked. 410 is for whoever asked. */
    private static HttpResponse<byte[]> mustBeGood(String path, HttpResponse<byte[]> answer) {
        int status = answer.statusCode();
        if (status >= 400 && status < 500 && !Set.of(401, 408, 410, 429).contains(status)) {
            throw new RefusedException(path, status, problem(answer));
        }
        return answer;
    }

    private HttpResponse<byte[]> ask(String method, String path, Map<String, ?> body, Duration timeout, String token) {
        HttpRequest.Builder request = request(path).header("Authorization", "Bearer " + token);
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        request.method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(Json.bytes(body)));
        return send(request, timeout);
    }

    /** The access token of the service account for userd. */
    String token() {
        return token(settings.userdAudience());
    }

    /** The same for a resource, renewed before it ends. */
    String token(String resource) {
        return own.computeIfAbsent(resource, Own::new).token();
    }

    /** The one for userd is refused. */
    void dropToken(String seen) {
        own.computeIfAbsent(settings.userdAudience(), Own::new).drop(seen);
    }

    /** Times are of {@link System#nanoTime()}. */
    private record OwnToken(String text, long goodUntil, long renewAt) {
        boolean isGood() {
            return !text.isEmpty() && System.nanoTime() - goodUntil < 0;
        }

        boolean isDue() {
            return System.nanoTime() - renewAt >= 0;
        }
    }

    /** The account's token for one resource. */
    private final class Own {
        private final String resource;
        private final Object renewing = new Object();
        private volatile OwnToken known = new OwnToken("", 0, 0);
        private volatile boolean isRenewing;

        Own(String resource) {
            this.resource = resource;
        }

        String token() {
            OwnToken seen = known;
            if (!seen.isGood()) {
                return renew(seen);
            }
            if (seen.isDue() && !isRenewing) {
                isRenewing = true;
                Thread thread = new Thread(() -> renewQuietly(seen), "userd-token");
                thread.setDaemon(true);
                thread.start();
            }
            return seen.text();
        }

        void drop(String seen) {
            synchronized (renewing) {
                if (known.text().equals(seen)) {
                    known = new OwnToken("", 0, 0);
                }
            }
        }

        private void renewQuietly(OwnToken seen) {
            try {
                renew(seen);
            } catch (UnavailableException | RefusedException later) {
                synchronized (renewing) {
                    if (known == seen) {
                        known = new OwnToken(seen.text(), seen.goodUntil(), System.nanoTime() + TimeUnit.SECONDS.toNanos(1));
                    }
                }
            } finally {
                isRenewing = false;
            }
        }

        /** Another token than the one that was seen, unless somebody else has got one meanwhile. */
        private String renew(OwnToken seen) {
            synchronized (renewing) {
                if (known != seen && known.isGood()) {
                    return known.text();
                }
                HttpResponse<byte[]> answer = issued();
                if (answer.statusCode() == 401) {
                    throw new CredentialsException(told(problem(answer)));
                }
                Map<String, Object> said = read(mustBeGood("/oauth2/token", answer));
                try {
                    long lifetime = TimeUnit.SECONDS.toNanos(Json.whole(said, "expires_in"));
                    long now = System.nanoTime();
                    known = new OwnToken(Json.text(said, "access_token"), now + lifetime / 100 * 95, now + lifetime / 4 * 3);
                } catch (IllegalArgumentException wrong) {
                    throw new UnavailableException("no token of our own", wrong);
                }
                return known.text();
            }
        }

        private HttpResponse<byte[]> issued() {
            String grant = "client_credentials";
            HttpResponse<byte[]> answer = form("/oauth2/token", Map.of("grant_type", grant, "resource", resource));
            // A userd that goes by another name: what the account gets by itself is for it, as a rule.
            boolean isItself = resource.equals(settings.userdAudience());
            return isItself && "invalid_target".equals(problem(answer).get("error")) ? form("/oauth2/token", Map.of("grant_type", grant)) : answer;
        }
    }

    /** What an answer that is an error says of itself; empty where that cannot be read. */
    static Map<String, Object> problem(HttpResponse<byte[]> answer) {
        try {
            return answer.statusCode() / 100 == 2 ? Map.of() : Json.object(answer.body());
        } catch (IllegalArgumentException nonsense) {
            return Map.of();
        }
    }

    /** For a message: what a problem says, or an error as OAuth has it. */
    static String told(Map<String, Object> problem) {
        Stream<?> words = Stream.of("title", "error", "error_description", "detail").map(problem::get);
        Stream<?> fields = problem.get("errors") instanceof List<?> errors ? errors.stream() : Stream.empty();
        Stream<?> named = fields.map(field -> field instanceof Map<?, ?> one ? one.get("pointer") + " " + one.get("detail") : null);
        String told = Stream.concat(words, named).filter(Objects::nonNull).map(Object::toString).collect(Collectors.joining("; "));
        return told.isEmpty() ? "" : ": " + told;
    }

    /** The JSON of a good answer, empty where it has none; an UnavailableException for any other. */
    static Map<String, Object> read(HttpResponse<byte[]> answer) {
        if (answer.statusCode() / 100 != 2) {
            throw new UnavailableException("the service answered " + answer.statusCode() + told(problem(answer)));
        }
        if (answer.statusCode() == 204) {
            return Map.of();
        }
        try {
            return Json.object(answer.body());
        } catch (IllegalArgumentException wrong) {
            throw new UnavailableException("the service answered nonsense", wrong);
        }
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(settings.baseUrl() + path));
    }

    /** The limit is for the whole answer: that of a request ends with its headers. */
    private HttpResponse<byte[]> send(HttpRequest.Builder request, Duration timeout) {
        CompletableFuture<HttpResponse<byte[]>> call = http.sendAsync(request.build(), BodyHandlers.ofByteArray());
        try {
            return call.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException failed) {
            call.cancel(true);
            throw new UnavailableException("the service cannot be reached", failed);
        } catch (InterruptedException ended) {
            call.cancel(true);
            Thread.currentThread().interrupt();
            throw new UnavailableException("interrupted", ended);
        }
    }
}
