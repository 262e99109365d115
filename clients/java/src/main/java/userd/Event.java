package userd;

import java.util.Map;

/**
 * A CloudEvent. docs/events.md of userd has the types; ignore those that you do not know.
 *
 * @param id to recognise it again
 * @param type what happened
 * @param subject to whom
 * @param time when, in RFC 3339
 * @param sequence grows within a subject; empty where there is none
 * @param data what the type says more
 */
public record Event(String id, String type, String subject, String time, String sequence, Map<?, ?> data) {
    static Event of(Map<?, ?> item) {
        Object data = item.get("data");
        return new Event(
                Json.text(item, "id"),
                Json.text(item, "type"),
                Json.text(item, "subject"),
                Json.text(item, "time"),
                item.get("sequence") instanceof String sequence ? sequence : "",
                data == null ? Map.of() : Json.map(data));
    }
}
