package dev.sund.agent.bridge;

import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the files of a directory say, remembered: to read hundreds of them at each ADD would cost
 * more than the rest of it. It holds as long as nobody has made or removed a file since, by the
 * directory's time of change. A file made within one tick of the clock after ours may be missed:
 * then its address is found to be taken when its file is to be made.
 *
 * <p>For the thread that has the directory's lock.
 */
final class AddressIndex {
  private final TreeMap<Ip, String> owners = new TreeMap<>();
  private @Nullable FileTime asOf;

  /** What is taken, and by whom: the files' text. Read anew when somebody else was at work. */
  TreeMap<Ip, String> owners(Path directory) throws IOException {
    FileTime now = Files.getLastModifiedTime(directory);
    if (!now.equals(asOf)) {
      readAll(directory);
      asOf = now;
    }
    return owners;
  }

  /** Forgets, so that the next look reads. */
  void doubt() {
    asOf = null;
  }

  /** An address was taken by us just now: no reason to read. After {@link #owners}. */
  void taken(Ip ip, String text, Path directory) throws IOException {
    owners.put(ip, text);
    asOf = Files.getLastModifiedTime(directory);
  }

  /** An address was given back by us just now. After {@link #owners}. */
  void released(Ip ip, Path directory) throws IOException {
    owners.remove(ip);
    asOf = Files.getLastModifiedTime(directory);
  }

  private void readAll(Path directory) throws IOException {
    owners.clear();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Optional<Ip> ip = Ip.tryParse(String.valueOf(file.getFileName()));
        if (ip.isEmpty()) {
          continue; // the lock, the last address of a set
        }
        try {
          owners.put(
              ip.get(), new String(Files.readAllBytes(file), StandardCharsets.UTF_8).strip());
        } catch (NoSuchFileException _) {
          // given back by someone who does not take the lock
        }
      }
    }
  }
}
