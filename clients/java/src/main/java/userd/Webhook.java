package userd;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.function.UnaryOperator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Tells genuine calls of a webhook from others (Standard Webhooks). */
public final class Webhook {
    private static final long TOLERANCE = Duration.ofMinutes(5).toSeconds();

    /** What a public key of Ed25519 begins with in X.509; its 32 bytes follow (RFC 8410). */
    private static final byte[] ED25519 = HexFormat.of().parseHex("302a300506032b6570032100");

    private final List<SecretKeySpec> keys = new ArrayList<>();
    private final List<PublicKey> publicKeys = new ArrayList<>();

    /** A webhook's secret (whsec_…) or its public key (whpk_…); two while one is being replaced. */
    public Webhook(String... secrets) {
        for (String secret : secrets) {
            if (secret.startsWith("whpk_")) {
                publicKeys.add(publicKey(secret.substring(5)));
            } else {
                byte[] key = Base64.getDecoder().decode(secret.startsWith("whsec_") ? secret.substring(6) : secret);
                keys.add(new SecretKeySpec(key, "HmacSHA256"));
            }
        }
        if (secrets.length == 0) {
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
        byte[] prefix = (id + "." + moment + ".").getBytes(StandardCharsets.UTF_8);
        if (Arrays.stream(shown.split(" ")).noneMatch(part -> isSigned(part, prefix, body))) {
            throw new InvalidWebhookException("no signature is right");
        }
        try {
            return Event.of(Json.object(body));
        } catch (IllegalArgumentException wrong) {
            throw new InvalidWebhookException("not an event");
        }
    }

    /** A public key is nobody's secret, so each kind of key takes its own kind of signature alone. */
    private boolean isSigned(String part, byte[] prefix, byte[] body) {
        if (part.startsWith("v1,")) {
            byte[] shown = decoded(part.substring(3));
            return keys.stream().anyMatch(key -> isBySecret(key, prefix, body, shown));
        }
        if (part.startsWith("v1a,")) {
            byte[] shown = decoded(part.substring(4));
            return publicKeys.stream().anyMatch(key -> isByKey(key, prefix, body, shown));
        }
        return false;
    }

    private static boolean isBySecret(SecretKeySpec key, byte[] prefix, byte[] body, byte[] shown) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            mac.update(prefix);
            return MessageDigest.isEqual(mac.doFinal(body), shown);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static boolean isByKey(PublicKey key, byte[] prefix, byte[] body, byte[] shown) {
        try {
            Signature signature = Signature.getInstance("Ed25519");
            signature.initVerify(key);
            signature.update(prefix);
            signature.update(body);
            // What follows the 64 bytes some JDKs do not look at.
            return shown.length == 64 && signature.verify(shown);
        } catch (GeneralSecurityException wrong) {
            // Numbers that no signature has, or a key that is no point of the curve.
            return false;
        }
    }

    private static PublicKey publicKey(String text) {
        byte[] key = Base64.getDecoder().decode(text);
        if (key.length != 32) {
            throw new IllegalArgumentException("a public key is 32 bytes in base64 behind whpk_");
        }
        byte[] encoded = Arrays.copyOf(ED25519, ED25519.length + key.length);
        System.arraycopy(key, 0, encoded, ED25519.length, key.length);
        try {
            return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
        } catch (GeneralSecurityException wrong) {
            throw new IllegalArgumentException("not a public key of Ed25519", wrong);
        }
    }

    private static byte[] decoded(String text) {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException wrong) {
            return new byte[0];
        }
    }
}
