package userd;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.function.UnaryOperator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Tells genuine calls of a webhook from others (Standard Webhooks). */
public final class Webhook {
    private static final long TOLERANCE = Duration.ofMinutes(5).toSeconds();

    private final List<SecretKeySpec> keys = new ArrayList<>();

    /** A webhook's secret; two while the secret is being replaced. */
    public Webhook(String... secrets) {
        for (String secret : secrets) {
            byte[] key = Base64.getDecoder().decode(secret.startsWith("whsec_") ? secret.substring(6) : secret);
            keys.add(new SecretKeySpec(key, "HmacSHA256"));
        }
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("a webhook has a secret");
        }
    }

    /**
     * The event of a call: give the body's bytes as they came. Throws {@link InvalidWebhookException}. The id of the call,
     * webhook-id, is the same when it is sent again: do nothing then.
     *
     * @param header answers a header by its name, in any case of letters; null where it is not there
     */
    public Event verify(byte[] body, UnaryOperator<String> header) {
        return verify(body, header, Instant.now());
    }

    /** The same at another time, for tests. */
    public Event verify(byte[] body, UnaryOperator<String> header, Instant now) {
        String id = header.apply("webhook-id");
        String moment = header.apply("webhook-timestamp");
        String shown = header.apply("webhook-signature");
        if (id == null || moment == null || shown == null || !moment.matches("[0-9]{1,12}")) {
            throw new InvalidWebhookException("headers are missing");
        }
        if (Math.abs(now.getEpochSecond() - Long.parseLong(moment)) > TOLERANCE) {
            throw new InvalidWebhookException("too old, or from the future");
        }
        if (keys.stream().noneMatch(key -> isSigned(key, id + "." + moment + ".", body, shown))) {
            throw new InvalidWebhookException("no signature is right");
        }
        try {
            return Event.of(Json.object(body));
        } catch (IllegalArgumentException wrong) {
            throw new InvalidWebhookException("not an event");
        }
    }

    private static boolean isSigned(SecretKeySpec key, String prefix, byte[] body, String shown) {
        byte[] right;
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            mac.update(prefix.getBytes(StandardCharsets.UTF_8));
            right = mac.doFinal(body);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
        return Arrays.stream(shown.split(" "))
                .filter(part -> part.startsWith("v1,"))
                .anyMatch(part -> MessageDigest.isEqual(right, decoded(part.substring(3))));
    }

    private static byte[] decoded(String text) {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException wrong) {
            return new byte[0];
        }
    }
}
