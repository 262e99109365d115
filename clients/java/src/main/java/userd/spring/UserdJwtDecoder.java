package userd.spring;

import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtException;
import userd.InvalidTokenException;
import userd.Token;
import userd.UnavailableException;
import userd.Userd;

/** Lets Spring Security's resource server verify tokens by userd's rules, revocations included. */
public final class UserdJwtDecoder implements JwtDecoder {
    private final Userd userd;

    /** By this verifier. */
    public UserdJwtDecoder(Userd userd) {
        this.userd = userd;
    }

    @Override
    public Jwt decode(String token) {
        try {
            Token verified = userd.verify(token);
            return Jwt.withTokenValue(token)
                    .header("typ", "at+jwt")
                    .claims(claims -> claims.putAll(verified.claims()))
                    .issuedAt(verified.issuedAt())
                    .expiresAt(verified.expiresAt())
                    .notBefore(verified.issuedAt())
                    .build();
        } catch (InvalidTokenException invalid) {
            // Callers are told this text: not why.
            throw new BadJwtException("the token is not good", invalid);
        } catch (UnavailableException unavailable) {
            throw new JwtException("unavailable", unavailable);
        }
    }
}
