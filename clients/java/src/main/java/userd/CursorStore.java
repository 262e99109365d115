package userd;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Where the place in the event feed is kept; best in the transaction that handles the events. */
public interface CursorStore {
    /** The place; null where there is none yet. */
    String load();

    /** Keeps it. */
    void save(String cursor);

    /** Forgotten with the process. */
    static CursorStore inMemory() {
        return new CursorStore() {
            private volatile String cursor;

            @Override
            public String load() {
                return cursor;
            }

            @Override
            public void save(String reached) {
                cursor = reached;
            }
        };
    }

    /** In a file, which is replaced as a whole. */
    static CursorStore inFile(Path path) {
        return new CursorStore() {
            @Override
            public String load() {
                try {
                    String text = Files.readString(path).strip();
                    return text.isEmpty() ? null : text;
                } catch (NoSuchFileException none) {
                    return null;
                } catch (IOException failed) {
                    throw new UncheckedIOException(failed);
                }
            }

            @Override
            public void save(String cursor) {
                try {
                    Path beside = Files.createTempFile(path.toAbsolutePath().getParent(), path.getFileName().toString(), "");
                    Files.writeString(beside, cursor);
                    move(beside);
                } catch (IOException failed) {
                    throw new UncheckedIOException(failed);
                }
            }

            private void move(Path beside) throws IOException {
                try {
                    Files.move(beside, path, StandardCopyOption.ATOMIC_MOVE);
                } catch (AtomicMoveNotSupportedException unusual) {
                    Files.move(beside, path, StandardCopyOption.REPLACE_EXISTING);
                }
            }
        };
    }
}
