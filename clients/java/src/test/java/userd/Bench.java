package userd;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a token costs: by the bare library, by ours for the first time, and where it is remembered. */
final class Bench {
    private Bench() {}

    static Map<String, Object> of(Userd userd, Map<String, Object> what) {
        List<String> tokens = Json.list(what, "tokens").stream().map(String.class::cast).toList();
        Map<?, ?> settings = Json.map(what.get("settings"));
        String issuer = Json.text(settings, "issuer");
        String audience = Json.text(settings, "audience");
        double bare = bare(tokens, issuer, audience, Json.map(what.get("jwk")));
        // One that remembers none of these.
        UserdBuilder builder = Userd.of(issuer).audience(audience).maxTokens(1);
        double first;
        try (Userd small = builder.client(Json.text(settings, "client_id"), Json.text(settings, "client_secret")).build()) {
            small.verify(tokens.get(0));
            first = all(small, tokens);
        }
        all(userd, tokens);
        return Map.of("bare", bare, "first", first, "remembered", all(userd, tokens));
    }

    private static double bare(List<String> tokens, String issuer, String audience, Map<?, ?> jwk) {
        try {
            Map<String, Object> members = new HashMap<>();
            jwk.forEach((name, value) -> members.put((String) name, value));
            DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
            processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt")));
            var keys = new ImmutableJWKSet<>(new JWKSet(JWK.parse(members)));
            processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.ES256, keys));
            JWTClaimsSet exact = new JWTClaimsSet.Builder().issuer(issuer).build();
            processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(audience, exact, Set.of("exp")));
            long began = System.nanoTime();
            for (String token : tokens) {
                processor.process(token, null);
            }
            return (System.nanoTime() - began) / 1e9 / tokens.size();
        } catch (Exception wrong) {
            throw new IllegalStateException(wrong);
        }
    }

    private static double all(Userd userd, List<String> tokens) {
        long began = System.nanoTime();
        for (String token : tokens) {
            userd.verify(token).requirePermission("orders.read");
        }
        return (System.nanoTime() - began) / 1e9 / tokens.size();
    }
}
