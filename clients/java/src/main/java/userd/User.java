package userd;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An account: what GET /v1/users/{id} answers. What somebody has not is null.
 *
 * @param id the subject of their tokens
 * @param status active, blocked or deleted
 * @param username the name
 * @param email the address
 * @param emailVerified whether they have proven to read mail there
 * @param displayName how they want to be called
 * @param locale their language
 * @param roles their roles
 * @param members everything that was answered
 */
public record User(
        String id,
        String status,
        String username,
        String email,
        boolean emailVerified,
        String displayName,
        String locale,
        Set<String> roles,
        Map<String, Object> members) {

    static User of(Map<String, Object> said) {
        Set<String> roles = new HashSet<>();
        if (said.get("roles") instanceof List<?> list) {
            list.forEach(role -> roles.add(Json.of(String.class, role, "roles")));
        }
        return new User(
                Json.text(said, "id"),
                Json.text(said, "status"),
                textOrNull(said, "username"),
                textOrNull(said, "email"),
                Boolean.TRUE.equals(said.get("email_verified")),
                textOrNull(said, "display_name"),
                textOrNull(said, "locale"),
                Set.copyOf(roles),
                said);
    }

    private static String textOrNull(Map<String, Object> said, String name) {
        return said.get(name) instanceof String text ? text : null;
    }

    /** Without what is personal. */
    @Override
    public String toString() {
        return "User[id=" + id + ", status=" + status + "]";
    }
}
