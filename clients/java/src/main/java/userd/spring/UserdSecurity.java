package userd.spring;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.springframework.security.authentication.AuthenticationServiceException;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.core.GrantedAuthority;
import org.springframework.security.core.authority.SimpleGrantedAuthority;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationConverter;
import org.springframework.security.oauth2.server.resource.web.authentication.BearerTokenAuthenticationFilter;
import org.springframework.web.filter.OncePerRequestFilter;
import userd.Userd;

/**
 * Makes an application a resource server of userd: {@code UserdSecurity.apply(http, userd)}. Roles are authorities with
 * {@code ROLE_} before ({@code hasRole("clerk")}), permissions are authorities as they are ({@code hasAuthority("orders.read")}).
 */
public final class UserdSecurity {
    private UserdSecurity() {}

    /** Bearer tokens, no sessions, no CSRF tokens: nothing that a browser sends by itself lets anybody in. */
    public static HttpSecurity apply(HttpSecurity http, Userd userd) throws Exception {
        return http.oauth2ResourceServer(server ->
                        server.jwt(jwt -> jwt.decoder(new UserdJwtDecoder(userd)).jwtAuthenticationConverter(converter())))
                .sessionManagement(sessions -> sessions.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                .csrf(csrf -> csrf.disable())
                .addFilterBefore(new UnavailableFilter(), BearerTokenAuthenticationFilter.class);
    }

    /** Roles and permissions of a token as authorities. */
    public static JwtAuthenticationConverter converter() {
        JwtAuthenticationConverter converter = new JwtAuthenticationConverter();
        converter.setJwtGrantedAuthoritiesConverter(UserdSecurity::authorities);
        return converter;
    }

    private static Collection<GrantedAuthority> authorities(Jwt jwt) {
        Stream<String> roles = words(jwt, "roles").map(role -> "ROLE_" + role);
        return Stream.concat(roles, words(jwt, "permissions")).<GrantedAuthority>map(SimpleGrantedAuthority::new).toList();
    }

    private static Stream<String> words(Jwt jwt, String claim) {
        List<String> words = jwt.getClaimAsStringList(claim);
        return words == null ? Stream.empty() : words.stream();
    }

    /** Nobody can tell whether the token is good: 503, where Spring Security would let it become 500. */
    private static final class UnavailableFilter extends OncePerRequestFilter {
        @Override
        protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
                throws ServletException, IOException {
            try {
                chain.doFilter(request, response);
            } catch (AuthenticationServiceException unavailable) {
                response.setHeader("Retry-After", "1");
                response.setStatus(HttpServletResponse.SC_SERVICE_UNAVAILABLE);
            }
        }
    }
}
