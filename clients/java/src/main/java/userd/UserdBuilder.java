package userd;

import java.time.Duration;
import java.util.Map;

/** Which service is trusted, and how. What is left out has a default. */
public final class UserdBuilder {
    private final String issuer;
    private String audience = "userd";
    private String baseUrl = "";
    private String clientId = "";
    private String clientSecret = "";
    private String userdAudience = "userd";
    private Duration leeway = Duration.ofSeconds(10);
    private WhenStale whenStale = WhenStale.REFUSE;
    private Duration maxAge = Duration.ofSeconds(30);
    private Duration wait = Duration.ofSeconds(10);
    private Duration timeout = Duration.ofSeconds(5);
    private int maxEntries = 100_000;
    private int maxTokens = 10_000;
    private Map<String, Object> keys;

    UserdBuilder(String issuer) {
        this.issuer = issuer;
    }

    /** Whom tokens must be for: this service. Default: userd. */
    public UserdBuilder audience(String value) {
        audience = value;
        return this;
    }

    /** Where the service answers, when that is not the issuer (inside a cluster). */
    public UserdBuilder baseUrl(String value) {
        baseUrl = value;
        return this;
    }

    /** The service account. Without it revocations are not followed: a token is good until it expires. */
    public UserdBuilder client(String id, String secret) {
        clientId = id;
        clientSecret = secret;
        return this;
    }

    /** The audience of userd itself, the first of its tokens.audience: the own token is asked for it. Default: userd. */
    public UserdBuilder userdAudience(String value) {
        userdAudience = value;
        return this;
    }

    /** How far clocks may be apart, at most a minute. Default: 10 s. */
    public UserdBuilder leeway(Duration value) {
        leeway = value;
        return this;
    }

    /** What happens while the view of revocations is too old. Default: REFUSE. */
    public UserdBuilder whenStale(WhenStale value) {
        whenStale = value;
        return this;
    }

    /** How old the view may be; more than wait. Default: 30 s. */
    public UserdBuilder maxAge(Duration value) {
        maxAge = value;
        return this;
    }

    /** How long one question for revocations is held, 1 to 25 s. Default: 10 s. */
    public UserdBuilder wait(Duration value) {
        wait = value;
        return this;
    }

    /** The longest any other call may take. Default: 5 s. */
    public UserdBuilder timeout(Duration value) {
        timeout = value;
        return this;
    }

    /** How many revocations are kept. Beyond it the oldest are replaced by one that refuses more. Default: 100,000. */
    public UserdBuilder maxEntries(int value) {
        maxEntries = value;
        return this;
    }

    /** How many verified tokens are remembered, so that each is verified once. Default: 10,000. */
    public UserdBuilder maxTokens(int value) {
        maxTokens = value;
        return this;
    }

    /** A key set that is never asked for. */
    public UserdBuilder keys(Map<String, Object> value) {
        keys = value;
        return this;
    }

    /** Makes it. Nothing is called before the first token. Throws IllegalArgumentException for what cannot work. */
    public Userd build() {
        return new Userd(new Settings(
                issuer, audience, baseUrl, clientId, clientSecret, userdAudience, leeway, whenStale, maxAge, wait, timeout, maxEntries,
                maxTokens, keys));
    }
}
