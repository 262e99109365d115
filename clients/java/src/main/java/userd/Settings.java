package userd;

import java.time.Duration;
import java.util.Map;

/** What the application says once; the builder of {@link Userd} makes it. */
record Settings(
        String issuer,
        String audience,
        String baseUrl,
        String clientId,
        String clientSecret,
        String userdAudience,
        Duration leeway,
        WhenStale whenStale,
        Duration maxAge,
        Duration longPoll,
        Duration timeout,
        int maxEntries,
        int maxTokens,
        Map<String, Object> keys) {

    Settings {
        demand(issuer.startsWith("https://") || issuer.startsWith("http://"), "the issuer must be an http(s) URL");
        demand(!audience.isEmpty() && !userdAudience.isEmpty(), "an audience must not be empty");
        demand(clientId.isEmpty() == clientSecret.isEmpty(), "client id and secret go together");
        demand(!leeway.isNegative() && leeway.toSeconds() <= 60, "the leeway is 0 to 60 seconds");
        demand(longPoll.toSeconds() >= 1 && longPoll.toSeconds() <= 25, "wait is 1 to 25 seconds");
        demand(maxAge.compareTo(longPoll) > 0, "maxAge is more than wait");
        demand(maxEntries >= 16, "maxEntries is 16 or more");
        demand(maxTokens >= 1 && !timeout.isNegative() && !timeout.isZero(), "maxTokens and timeout must be positive");
        baseUrl = (baseUrl.isEmpty() ? issuer : baseUrl).replaceAll("/+$", "");
    }

    boolean follows() {
        return !clientId.isEmpty();
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return "Settings[issuer=" + issuer + ", audience=" + audience + ", clientId=" + clientId + "]";
    }

    private static void demand(boolean isSo, String what) {
        if (!isSo) {
            throw new IllegalArgumentException(what);
        }
    }
}
