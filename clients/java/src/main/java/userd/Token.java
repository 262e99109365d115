package userd;

import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;

/**
 * A verified token: who calls, and what they may do.
 *
 * @param subject the id of the user, or of the service account
 * @param clientId the application that the token was issued to
 * @param sessionId null for a service account
 * @param tokenId the id of the token
 * @param issuedAt when it was issued
 * @param expiresAt when it ends
 * @param version counts up when older tokens are to die
 * @param roles the roles of the user
 * @param roleVersions of these roles, the version of what each allowed; a role that the token says none of is not among them
 * @param permissions what they may do
 * @param keyId the key that signed it
 * @param claims everything that the token says
 */
public record Token(
        String subject,
        String clientId,
        String sessionId,
        String tokenId,
        Instant issuedAt,
        Instant expiresAt,
        long version,
        Set<String> roles,
        Map<String, Long> roleVersions,
        Set<String> permissions,
        String keyId,
        Map<String, Object> claims) {

    /** Whether a service account calls. */
    public boolean isService() {
        return sessionId == null;
    }

    /** Whether it has one of these roles. */
    public boolean hasRole(String... anyOf) {
        return Arrays.stream(anyOf).anyMatch(roles::contains);
    }

    /** Whether it has all of these permissions. */
    public boolean hasPermission(String... allOf) {
        return permissions.containsAll(Arrays.asList(allOf));
    }

    /** Throws {@link ForbiddenException} unless it has one of these roles. */
    public void requireRole(String... anyOf) {
        if (!hasRole(anyOf)) {
            throw new ForbiddenException("needs the role " + String.join(" or ", anyOf));
        }
    }

    /** Throws {@link ForbiddenException} unless it has all of these permissions. */
    public void requirePermission(String... allOf) {
        if (!hasPermission(allOf)) {
            throw new ForbiddenException("needs the permission " + String.join(" and ", allOf));
        }
    }

    /** Without the claims: they are personal. */
    @Override
    public String toString() {
        return "Token[subject=" + subject + ", tokenId=" + tokenId + "]";
    }
}
