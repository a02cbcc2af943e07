package dev.sund.agent.cni;

import dev.sund.agent.log.Log;
import dev.sund.engine.FlannelSubnet;
import dev.sund.model.Marks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * Flannel's {@code subnet.env}, written for those who read it.
 *
 * <p>How is the file known as ours? By its first line. One that flannel itself wrote is written
 * over: whoever asks for the file has Sund in flannel's place. What happens when we die here? It is
 * the old or the new one, since it is renamed into its place.
 *
 * @param file where it is
 */
public record FlannelEnv(Path file) {
  /** Where flannel has it. */
  public static final Path USUAL = Path.of("/run/flannel/subnet.env");

  private static final String FIRST = "# " + Marks.TABLE_COMMENT;

  /** Writes the file; a failure is logged, and tried again with the next change. */
  public void write(FlannelSubnet subnet, Log log) {
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Path fresh = file.resolveSibling("." + file.getFileName() + ".new");
      Files.writeString(fresh, subnet.text());
      Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rw-r--r--"));
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      log.warn("flannel's file is not written", "file", file, "error", e);
    }
  }

  /**
   * Removes the file when it is ours.
   *
   * @param dryRun only say what would be done
   * @return one line when it is
   * @throws IOException when it cannot be removed
   */
  public static List<String> remove(Path file, boolean dryRun) throws IOException {
    try {
      if (!Files.readString(file).startsWith(FIRST + "\n")) {
        return List.of();
      }
    } catch (NoSuchFileException _) {
      return List.of();
    }
    if (!dryRun) {
      Files.delete(file);
    }
    return List.of("remove flannel's file " + file);
  }
}
