package userd;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Says once, when it begins and when it ends, that tokens cannot be verified as they should: the logger "userd". */
final class Watch {
    private static final Logger LOG = System.getLogger("userd");
    private final Settings settings;
    /** Of each thing, what is wrong with it. */
    private final Map<String, String> wrong = new ConcurrentHashMap<>();

    Watch(Settings settings) {
        this.settings = settings;
    }

    /** It is not well, by this reason. */
    void isWrong(String what, String reason, String message) {
        if (!reason.equals(wrong.put(what, reason))) {
            LOG.log(Level.WARNING, message);
        }
    }

    void isWell(String what, String message) {
        if (wrong.remove(what) != null) {
            LOG.log(Level.WARNING, message);
        }
    }

    void feedFails(String reason, String more) {
        String then = switch (settings.whenStale()) {
            case REFUSE -> "tokens are answered 503";
            case ACCEPT -> "tokens are trusted by their signature alone";
            case INTROSPECT -> "userd is asked about each token";
        };
        isWrong("feed", reason, "revocations cannot be followed (" + reason + more + "); once that lasts "
                + settings.maxAge().toSeconds() + " s, " + then);
    }

    void feedGoes() {
        isWell("feed", "revocations are followed again");
    }

    void keysFail(String more) {
        isWrong("keys", "away", "the key set of " + settings.baseUrl() + " cannot be had (" + more + "); tokens are answered 503");
    }

    void keysAre() {
        isWell("keys", "the key set is there");
    }
}
