package userd;

import com.nimbusds.jose.util.Base64URL;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Verification of one token against a key set: no network, no clock of its own. */
final class Verifier {
    private static final Pattern COMPACT = Pattern.compile("([A-Za-z0-9_-]+)\\.([A-Za-z0-9_-]+)\\.([A-Za-z0-9_-]+)");
    private static final int LONGEST = 16_384;
    private static final long LAST_SECOND = 253_402_300_799L;
    private static final Set<String> TYPES = Set.of("at+jwt", "application/at+jwt");
    private static final Set<String> SUPPORTED = Set.of("EdDSA", "ES256", "RS256");

    private Verifier() {}

    static Token verify(String text, Keys keys, Settings settings, Instant now) {
        Matcher parts = COMPACT.matcher(text);
        if (text.length() > LONGEST || !parts.matches()) {
            throw new InvalidTokenException("malformed");
        }
        Map<String, Object> header = members(parts.group(1));
        String kid = keyIdOf(header);
        Key key = keys.get(kid);
        if (key == null) {
            throw new InvalidTokenException("unknown_key");
        }
        // The algorithm that belongs to the key, never the one that the token names.
        if (!key.algorithm().equals(header.get("alg"))) {
            throw new InvalidTokenException("algorithm");
        }
        byte[] content = text.substring(0, parts.start(3) - 1).getBytes(StandardCharsets.US_ASCII);
        if (!key.isSigned(content, new Base64URL(parts.group(3)).decode())) {
            throw new InvalidTokenException("signature");
        }
        return token(members(parts.group(2)), kid, settings, now);
    }

    /** What a remembered token is asked again. */
    static void checkTimes(Token token, Settings settings, Instant now) {
        if (!token.expiresAt().isAfter(now.minus(settings.leeway()))) {
            throw new InvalidTokenException("expired");
        }
    }

    private static Map<String, Object> members(String part) {
        try {
            return Json.object(new Base64URL(part).decode());
        } catch (IllegalArgumentException wrong) {
            throw new InvalidTokenException("malformed");
        }
    }

    private static String keyIdOf(Map<String, Object> header) {
        if (header.containsKey("crit") || header.containsKey("b64")) {
            throw new InvalidTokenException("malformed");
        }
        if (!(header.get("typ") instanceof String type) || !TYPES.contains(type.toLowerCase(Locale.ROOT))) {
            throw new InvalidTokenException("type");
        }
        if (!(header.get("alg") instanceof String algorithm) || !SUPPORTED.contains(algorithm)) {
            throw new InvalidTokenException("algorithm");
        }
        if (!(header.get("kid") instanceof String kid) || kid.isEmpty()) {
            throw new InvalidTokenException("unknown_key");
        }
        return kid;
    }

    private static Token token(Map<String, Object> claims, String kid, Settings settings, Instant now) {
        Token token = new Token(
                text(claims, "sub"),
                text(claims, "client_id"),
                claims.containsKey("sid") ? text(claims, "sid") : null,
                text(claims, "jti"),
                time(claims, "iat"),
                time(claims, "exp"),
                whole(claims, "ver", Long.MAX_VALUE),
                words(claims, "roles"),
                roleVersions(claims),
                words(claims, "permissions"),
                kid,
                Collections.unmodifiableMap(claims));
        Instant begins = claims.containsKey("nbf") ? time(claims, "nbf") : token.issuedAt();
        if (token.isService() && !token.clientId().equals(token.subject())) {
            throw new InvalidTokenException("claims");
        }
        if (!settings.issuer().equals(claims.get("iss"))) {
            // Its signature is good, so that it is most likely the configuration that is wrong.
            throw new InvalidTokenException("issuer", "the token says \"" + claims.get("iss") + "\", the configuration \""
                    + settings.issuer() + "\"; they are compared letter by letter");
        }
        if (!isFor(claims.get("aud"), settings.audience())) {
            throw new InvalidTokenException("audience");
        }
        checkTimes(token, settings, now);
        Instant latest = now.plus(settings.leeway());
        if (begins.isAfter(latest) || token.issuedAt().isAfter(latest)) {
            throw new InvalidTokenException("not_yet_valid");
        }
        return token;
    }

    private static String text(Map<String, Object> claims, String name) {
        if (claims.get(name) instanceof String value && !value.isEmpty()) {
            return value;
        }
        throw new InvalidTokenException("claims");
    }

    private static Instant time(Map<String, Object> claims, String name) {
        return Instant.ofEpochSecond(whole(claims, name, LAST_SECOND));
    }

    private static long whole(Map<String, Object> claims, String name, long most) {
        try {
            long value = Json.whole(claims, name);
            if (value >= 0 && value <= most) {
                return value;
            }
        } catch (IllegalArgumentException wrong) {
            // Told below.
        }
        throw new InvalidTokenException("claims");
    }

    private static Set<String> words(Map<String, Object> claims, String name) {
        if (!claims.containsKey(name)) {
            return Set.of();
        }
        if (!(claims.get(name) instanceof List<?> list) || !list.stream().allMatch(String.class::isInstance)) {
            throw new InvalidTokenException("claims");
        }
        Set<String> words = new HashSet<>();
        list.forEach(word -> words.add((String) word));
        return Collections.unmodifiableSet(words);
    }

    /** They stand at the places of their roles, which are read already. */
    private static Map<String, Long> roleVersions(Map<String, Object> claims) {
        if (!claims.containsKey("role_versions")) {
            return Map.of();
        }
        if (!(claims.get("role_versions") instanceof List<?> list) || !list.stream().allMatch(Verifier::isVersion)) {
            throw new InvalidTokenException("claims");
        }
        List<?> roles = claims.get("roles") instanceof List<?> held ? held : List.of();
        Map<String, Long> versions = new HashMap<>();
        for (int place = 0; place < Math.min(roles.size(), list.size()); place++) {
            versions.put((String) roles.get(place), ((Number) list.get(place)).longValue());
        }
        return Collections.unmodifiableMap(versions);
    }

    private static boolean isVersion(Object value) {
        return (value instanceof Long || value instanceof Integer) && ((Number) value).longValue() >= 0;
    }

    private static boolean isFor(Object value, String audience) {
        if (value instanceof List<?> list) {
            return list.stream().allMatch(String.class::isInstance) && list.contains(audience);
        }
        return audience.equals(value);
    }
}
