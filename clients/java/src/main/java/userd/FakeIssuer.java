package userd;

import com.nimbusds.jose.util.Base64URL;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** For your tests: mints what userd mints, with a key of its own, without a server. */
public final class FakeIssuer {
    private final KeyPair pair;
    private final String issuer;
    private final String audience;
    private final List<Userd> made = new CopyOnWriteArrayList<>();
    /** Of roles that allow less than at first. */
    private final Map<String, Integer> versions = new ConcurrentHashMap<>();

    /** For the audience userd. */
    public FakeIssuer() {
        this("https://users.test", "userd");
    }

    /** For another issuer and audience. */
    public FakeIssuer(String issuer, String audience) {
        this.issuer = issuer;
        this.audience = audience;
        try {
            pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** The key set, as /.well-known/jwks.json answers it. */
    public Map<String, Object> keys() {
        byte[] encoded = pair.getPublic().getEncoded();
        String x = Base64URL.encode(Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length)).toString();
        return Map.of("keys", List.of(Map.of("kty", "OKP", "crv", "Ed25519", "kid", "fake", "alg", "EdDSA", "use", "sig", "x", x)));
    }

    /** A verifier that trusts this issuer and calls nobody. */
    public Userd userd() {
        Userd userd = Userd.of(issuer).audience(audience).keys(keys()).build();
        made.add(userd);
        return userd;
    }

    /** What a sign-out does: the verifiers that were made here refuse the session's tokens. */
    public void endSession(String session) {
        revoke(Map.of("kind", "session", "session_id", session));
    }

    /** What a role that allows less does: the tokens that carry it are refused, those made from now on are not. */
    public void narrowRole(String role) {
        revoke(Map.of("kind", "role", "role", role, "min_version", versions.merge(role, 2, (before, first) -> before + 1)));
    }

    private void revoke(Map<String, Object> what) {
        Map<String, Object> entry = new HashMap<>(what);
        entry.putAll(Map.of("recorded_at", "2000-01-01T00:00:00Z", "expires_at", "9999-01-01T00:00:00Z"));
        made.forEach(userd -> userd.applyForTests(entry));
    }

    /** Begins a user's token. */
    public Minted token() {
        return new Minted();
    }

    /** A token that is being made; {@link #mint()} signs it. */
    public final class Minted {
        private final Map<String, Object> claims = new HashMap<>();

        private Minted() {
            Instant now = Instant.now();
            claims.putAll(Map.of("iss", issuer, "aud", audience, "sub", UUID.randomUUID().toString(), "client_id", "userd"));
            claims.putAll(Map.of("sid", UUID.randomUUID().toString(), "jti", UUID.randomUUID().toString(), "ver", 1));
            claims.putAll(Map.of("iat", now.getEpochSecond(), "nbf", now.getEpochSecond()));
            claims.putAll(Map.of("roles", List.of(), "permissions", List.of(), "sub_type", "user"));
            expiresIn(Duration.ofMinutes(10));
        }

        /** Whose. */
        public Minted subject(String id) {
            return claim("sub", id);
        }

        /** A service account's. */
        public Minted service(String id) {
            return claim("sub", id).claim("client_id", id).claim("sid", null).claim("sub_type", "client");
        }

        /** Of which session. */
        public Minted session(String id) {
            return claim("sid", id);
        }

        /** With these roles. */
        public Minted roles(String... names) {
            claim("role_versions", Arrays.stream(names).map(role -> versions.getOrDefault(role, 1)).toList());
            return claim("roles", new ArrayList<>(List.of(names)));
        }

        /** With these permissions. */
        public Minted permissions(String... names) {
            return claim("permissions", new ArrayList<>(List.of(names)));
        }

        /** How long it is good. */
        public Minted expiresIn(Duration life) {
            return claim("exp", Instant.now().plus(life).getEpochSecond());
        }

        /** Any claim; null leaves it out. */
        public Minted claim(String name, Object value) {
            claims.put(name, value);
            claims.values().removeIf(java.util.Objects::isNull);
            return this;
        }

        /** The signed token. */
        public String mint() {
            String header = "{\"alg\":\"EdDSA\",\"kid\":\"fake\",\"typ\":\"at+jwt\"}";
            String content = Base64URL.encode(header) + "." + Base64URL.encode(Json.bytes(claims));
            try {
                Signature signer = Signature.getInstance("Ed25519");
                signer.initSign(pair.getPrivate());
                signer.update(content.getBytes(StandardCharsets.US_ASCII));
                return content + "." + Base64URL.encode(signer.sign());
            } catch (GeneralSecurityException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }
}
