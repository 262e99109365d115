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
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Calls of the service: with a time limit, without redirects, with the own account's token. */
final class Calls {
    private final Settings settings;
    private final HttpClient http;
    private final Object renewing = new Object();
    private volatile OwnToken own = new OwnToken("", 0, 0);
    private volatile boolean isRenewing;

    /** Times are of {@link System#nanoTime()}. */
    private record OwnToken(String text, long goodUntil, long renewAt) {
        boolean isGood() {
            return !text.isEmpty() && System.nanoTime() - goodUntil < 0;
        }

        boolean isDue() {
            return System.nanoTime() - renewAt >= 0;
        }
    }

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
    HttpResponse<byte[]> form(String path, String name, String value) {
        if (!settings.follows()) {
            throw new UnavailableException("client id and secret are not set");
        }
        String pair = settings.clientId() + ":" + settings.clientSecret();
        String basic = Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
        HttpRequest.Builder request = request(path)
                .header("Authorization", "Basic " + basic)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(BodyPublishers.ofString(name + "=" + encoded(value)));
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
        int status = answer.statusCode();
        // It will not do it, however often it is asked. 410 is for whoever asked.
        if (status >= 400 && status < 500 && !Set.of(401, 408, 410, 429).contains(status)) {
            throw new RefusedException(path, status);
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

    /** The access token of the service account, renewed before it ends. */
    String token() {
        OwnToken seen = own;
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

    void dropToken(String seen) {
        synchronized (renewing) {
            if (own.text().equals(seen)) {
                own = new OwnToken("", 0, 0);
            }
        }
    }

    private void renewQuietly(OwnToken seen) {
        try {
            renew(seen);
        } catch (UnavailableException later) {
            synchronized (renewing) {
                if (own == seen) {
                    own = new OwnToken(seen.text(), seen.goodUntil(), System.nanoTime() + TimeUnit.SECONDS.toNanos(1));
                }
            }
        } finally {
            isRenewing = false;
        }
    }

    /** Another token than the one that was seen, unless somebody else has got one meanwhile. */
    private String renew(OwnToken seen) {
        synchronized (renewing) {
            if (own != seen && own.isGood()) {
                return own.text();
            }
            Map<String, Object> said = read(form("/oauth2/token", "grant_type", "client_credentials"));
            try {
                long lifetime = TimeUnit.SECONDS.toNanos(Json.whole(said, "expires_in"));
                long now = System.nanoTime();
                own = new OwnToken(Json.text(said, "access_token"), now + lifetime / 100 * 95, now + lifetime / 4 * 3);
            } catch (IllegalArgumentException wrong) {
                throw new UnavailableException("no token of our own", wrong);
            }
            return own.text();
        }
    }

    /** The JSON of a good answer, empty where it has none; an UnavailableException for any other. */
    static Map<String, Object> read(HttpResponse<byte[]> answer) {
        if (answer.statusCode() / 100 != 2) {
            throw new UnavailableException("the service answered " + answer.statusCode());
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
