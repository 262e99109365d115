package userd;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** This package under the conformance suite: reads a line of JSON, answers one. */
final class Agent {
    private Userd userd;

    private Agent() {}

    public static void main(String[] arguments) throws IOException {
        Agent agent = new Agent();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Map<String, Object> answer;
            try {
                answer = agent.act(Json.object(line.getBytes(StandardCharsets.UTF_8)));
            } catch (InvalidTokenException invalid) {
                answer = Map.of("error", invalid.slug(), "reason", invalid.reason());
            } catch (UserdException failed) {
                answer = Map.of("error", failed.slug());
            }
            System.out.println(new String(Json.bytes(answer), StandardCharsets.UTF_8));
        }
    }

    private Map<String, Object> act(Map<String, Object> what) {
        return switch (Json.text(what, "do")) {
            case "open" -> open(Json.map(what.get("settings")));
            case "close" -> {
                userd.close();
                yield Map.of("ok", true);
            }
            case "verify" -> Map.of("subject", userd.verify(Json.text(what, "token")).subject());
            case "allows" -> allows(what);
            case "status" -> status();
            case "token" -> Map.of("token", what.containsKey("resource") ? userd.token(Json.text(what, "resource")) : userd.token());
            case "check" -> Map.of("allowed", userd.check(Json.text(what, "subject"), Json.text(what, "permission")));
            case "check_many" -> checkMany(Json.list(what, "checks"));
            case "events" -> events(what);
            case "webhook" -> webhook(what);
            case "user" -> user(Json.text(what, "id"));
            case "bench" -> Bench.of(userd, what);
            default -> throw new IllegalArgumentException();
        };
    }

    private Map<String, Object> open(Map<?, ?> settings) {
        UserdBuilder builder = Userd.of(Json.text(settings, "issuer")).audience(Json.text(settings, "audience"));
        if (settings.get("client_id") instanceof String id) {
            builder.client(id, Json.text(settings, "client_secret"));
        }
        if (settings.get("userd_audience") instanceof String itself) {
            builder.userdAudience(itself);
        }
        if (settings.get("when_stale") instanceof String stale) {
            builder.whenStale(WhenStale.valueOf(stale.toUpperCase(Locale.ROOT)));
        }
        settings.forEach((name, value) -> {
            if (value instanceof Long number) {
                Duration seconds = Duration.ofSeconds(number);
                switch ((String) name) {
                    case "wait" -> builder.wait(seconds);
                    case "max_age" -> builder.maxAge(seconds);
                    case "timeout" -> builder.timeout(seconds);
                    case "max_entries" -> builder.maxEntries(number.intValue());
                    default -> throw new IllegalArgumentException((String) name);
                }
            }
        });
        userd = builder.build();
        return Map.of("ok", true);
    }

    private Map<String, Object> allows(Map<String, Object> what) {
        Token token = userd.verify(Json.text(what, "token"));
        return Map.of("role", token.hasRole(texts(what, "roles")), "permission", token.hasPermission(texts(what, "permissions")));
    }

    private Map<String, Object> status() {
        FeedStatus status = userd.status();
        Map<String, Object> answer = new HashMap<>();
        answer.put("age", status.age() == null ? null : status.age().toMillis() / 1000.0);
        answer.put("error", status.error());
        answer.putAll(Map.of("entries", status.entries(), "restarts", status.restarts(), "overflows", status.overflows()));
        return answer;
    }

    private Map<String, Object> user(String id) {
        Map<String, Object> answer = new HashMap<>();
        answer.put("user", userd.user(id)
                .map(user -> Map.of("id", user.id(), "status", user.status(), "roles", List.copyOf(user.roles())))
                .orElse(null));
        return answer;
    }

    private Map<String, Object> checkMany(List<?> asked) {
        List<Check> checks = new ArrayList<>();
        for (Object one : asked) {
            List<?> pair = (List<?>) one;
            checks.add(new Check((String) pair.get(0), (String) pair.get(1)));
        }
        List<Object> results = new ArrayList<>();
        userd.check(checks).forEach(one -> results.add(Map.of("allowed", one.allowed(), "reason", one.reason())));
        return Map.of("results", results);
    }

    private Map<String, Object> events(Map<String, Object> what) {
        CursorStore store = CursorStore.inMemory();
        if (what.get("cursor") instanceof String cursor) {
            store.save(cursor);
        }
        List<String> ids = new ArrayList<>();
        Iterator<Event> events = userd.events(store);
        while (ids.size() < Json.whole(what, "count")) {
            ids.add(events.next().id());
        }
        Map<String, Object> answer = new HashMap<>();
        answer.put("ids", ids);
        answer.put("cursor", store.load());
        return answer;
    }

    private static Map<String, Object> webhook(Map<String, Object> what) {
        Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        Json.map(what.get("headers")).forEach((name, value) -> headers.put((String) name, (String) value));
        byte[] body = Json.text(what, "body").getBytes(StandardCharsets.UTF_8);
        Instant now = Instant.ofEpochSecond(Json.whole(what, "now"));
        return Map.of("type", new Webhook(texts(what, "secrets")).verify(body, headers::get, now).type());
    }

    private static String[] texts(Map<String, Object> what, String name) {
        return Json.list(what, name).toArray(String[]::new);
    }
}
