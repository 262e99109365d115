package userd;

import com.nimbusds.jose.util.JSONObjectUtils;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.List;
import java.util.Map;

/** JSON objects as maps, and their members by type: an {@link IllegalArgumentException} where they are of another. */
final class Json {
    private Json() {}

    static Map<String, Object> object(byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            Map<String, Object> members = JSONObjectUtils.parse(text);
            // An empty list would be an empty object to it.
            if (members != null && text.stripLeading().startsWith("{")) {
                return members;
            }
        } catch (ParseException | CharacterCodingException | RuntimeException ignored) {
            // Told below.
        }
        throw new IllegalArgumentException("not a JSON object");
    }

    static byte[] bytes(Map<String, ?> members) {
        return JSONObjectUtils.toJSONString(members).getBytes(StandardCharsets.UTF_8);
    }

    static String text(Map<?, ?> members, String name) {
        return of(String.class, members.get(name), name);
    }

    static long whole(Map<?, ?> members, String name) {
        Object value = members.get(name);
        if (value instanceof Long || value instanceof Integer) {
            return ((Number) value).longValue();
        }
        throw new IllegalArgumentException(name);
    }

    static boolean truth(Map<?, ?> members, String name) {
        return of(Boolean.class, members.get(name), name);
    }

    static List<?> list(Map<?, ?> members, String name) {
        return of(List.class, members.get(name), name);
    }

    static Map<?, ?> map(Object value) {
        return of(Map.class, value, "a member");
    }

    static <T> T of(Class<T> type, Object value, String name) {
        if (!type.isInstance(value)) {
            throw new IllegalArgumentException(name);
        }
        return type.cast(value);
    }
}
