package dev.sund.dataplane;

import dev.sund.kernel.Sysctl;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The settings that Sund has changed, with the values they had: a file {@code sysctls} in the state
 * directory, one line {@code KEY OLD OURS} each. Written before the setting, so that an agent that
 * dies in between leaves a record too many rather than one too few.
 */
public final class SysctlRecord {
  private static final String FILE = "sysctls";
  private final Path file;
  private final TreeMap<Sysctl, Entry> entries = new TreeMap<>();

  /**
   * A setting that was changed.
   *
   * @param before the value it had
   * @param ours the value we gave it
   */
  public record Entry(String before, String ours) {}

  private SysctlRecord(Path file) {
    this.file = file;
  }

  /**
   * Reads the record of a state directory; empty when there is none yet. Lines that cannot be read
   * are left out.
   */
  public static SysctlRecord read(Path stateDirectory) throws IOException {
    SysctlRecord read = new SysctlRecord(stateDirectory.resolve(FILE));
    List<String> lines;
    try {
      lines = Files.readAllLines(read.file, StandardCharsets.US_ASCII);
    } catch (NoSuchFileException _) {
      return read;
    }
    for (String line : lines) {
      String[] words = line.split(" ", -1);
      if (words.length == 3 && words[0].startsWith("net/")) {
        read.entries.put(new Sysctl(words[0]), new Entry(words[1], words[2]));
      }
    }
    return read;
  }

  /**
   * Records these in a state directory. Several writers of one process take turns.
   *
   * @throws IOException when the file cannot be written: then the settings must not be changed
   */
  static void note(Path stateDirectory, Map<Sysctl, Entry> more) throws IOException {
    synchronized (SysctlRecord.class) {
      read(stateDirectory).add(more);
    }
  }

  /** The changed settings. */
  public Map<Sysctl, Entry> entries() {
    return Collections.unmodifiableMap(entries);
  }

  /** Records these; of a setting that is recorded already the first value stays. */
  private void add(Map<Sysctl, Entry> more) throws IOException {
    more.forEach((setting, entry) -> {
      Entry first = entries.get(setting);
      entries.put(setting, first == null ? entry : new Entry(first.before(), entry.ours()));
    });
    write();
  }

  /** Forgets all: they have been undone. */
  void clear() throws IOException {
    entries.clear();
    Files.deleteIfExists(file);
  }

  private void write() throws IOException {
    List<String> lines = new ArrayList<>();
    entries.forEach(
        (setting, entry) -> lines.add(setting.key() + " " + entry.before() + " " + entry.ours()));
    Path directory = java.util.Objects.requireNonNull(file.getParent());
    Files.createDirectories(directory);
    Path fresh = directory.resolve(FILE + ".new");
    Files.write(fresh, lines, StandardCharsets.US_ASCII);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
