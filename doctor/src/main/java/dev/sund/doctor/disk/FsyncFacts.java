package dev.sund.doctor.disk;

import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.LineText;
import dev.sund.doctor.Rights;
import dev.sund.doctor.UnreadException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** Tells {@link Facts#FSYNC}: writes in a folder, and times it. */
public final class FsyncFacts implements Facts {
  private final Path root;
  private final Optional<Path> folder;

  /**
   * Those of a node.
   *
   * @param root its file system's root
   * @param folder where to write; empty for where its etcd does
   */
  public FsyncFacts(Path root, Optional<Path> folder) {
    this.root = root;
    this.folder = folder;
  }

  @Override
  public String tell(String name) throws UnreadException {
    LineText text = new LineText();
    Path place;
    if (folder.isPresent()) {
      place = folder.get();
      text.word("folder", place).word("found", "as given");
    } else {
      Host files = new Host(root, Duration.ZERO, Thread::sleep, Facts.none());
      Optional<EtcdFolder> etcd = EtcdFolder.of(files);
      if (etcd.isEmpty()) {
        return "";
      }
      place = root.resolve(etcd.get().path());
      text.word("folder", "/" + etcd.get().path()).word("found", etcd.get().how());
    }
    if (!Files.isDirectory(place)) {
      throw new UnreadException(
          place + " is no folder", "Name one on etcd's disk: sund doctor --fsync=DIR.");
    }
    try {
      WriteTest.Times times = WriteTest.OF_ETCD.run(place, System::nanoTime);
      return text.word("writes", times.micros().length)
          .word("bytes", WriteTest.OF_ETCD.bytes())
          .word("p50", times.percentile(50))
          .word("p99", times.percentile(99))
          .word("most", times.percentile(100))
          .end()
          .toString();
    } catch (AccessDeniedException e) {
      throw new UnreadException("a file in " + place + ": permission denied", Rights.remedy());
    } catch (NoSuchFileException _) {
      throw new UnreadException(
          "no file can be made in " + place,
          "Name a folder of etcd's disk: sund doctor --fsync=DIR.");
    } catch (IOException e) {
      throw new UnreadException(
          "a file in " + place + ": " + e.getMessage(),
          "Name another folder of the same disk: sund doctor --fsync=DIR.");
    }
  }
}
