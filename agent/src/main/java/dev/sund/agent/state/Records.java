package dev.sund.agent.state;

import dev.sund.agent.local.Json;
import dev.sund.engine.hostlocal.AddressOwner;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * What was made for containers, in memory and in a folder of the state directory: a file each,
 * written before the runtime has its answer and removed after what was made is gone.
 *
 * <p>What happens when the agent dies: a file is the old or the new one. One of an earlier boot is
 * told of once, so that its addresses can be given back, and removed.
 *
 * <p>Any thread may call; calls about one container must not overlap.
 */
public final class Records<T extends Records.Kept> {
  /** What is kept of a container. */
  public interface Kept {
    /** Whose it is. */
    AddressOwner owner();

    /** The form on disk. */
    Map<String, Object> fields();

    /** {@code CONTAINER/INTERFACE}. */
    default String key() {
      return owner().toString();
    }
  }

  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE_DIR =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE_FILE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private final Path directory;
  private final String bootId;
  private final Function<Map<String, Object>, T> parser;
  private final Map<String, T> containers = new ConcurrentHashMap<>();

  /**
   * What was found on disk.
   *
   * @param ofEarlierBoots containers whose namespaces no longer exist; their files are gone
   * @param conditions one for each file that cannot be read; it stays as it is
   */
  public record Restored<T>(List<T> ofEarlierBoots, List<Condition> conditions) {}

  /**
   * Records in a folder.
   *
   * @param directory the folder
   * @param parser reads the form on disk; throws {@link IllegalArgumentException}
   */
  public Records(Path directory, String bootId, Function<Map<String, Object>, T> parser) {
    this.directory = directory;
    this.bootId = bootId;
    this.parser = parser;
  }

  /**
   * Reads all files.
   *
   * @throws IOException when the folder cannot be read
   */
  public Restored<T> restore() throws IOException {
    List<T> earlier = new ArrayList<>();
    List<Condition> conditions = new ArrayList<>();
    Files.createDirectories(directory, PRIVATE_DIR);
    try (var files = Files.list(directory)) {
      for (Path file : files.sorted().toList()) {
        if (String.valueOf(file.getFileName()).endsWith(".new")) {
          Files.deleteIfExists(file);
          continue;
        }
        try {
          Map<String, Object> fields = Json.object(Files.readAllBytes(file));
          T container = parser.apply(fields);
          if (bootId.equals(Json.text(fields, "boot"))) {
            containers.put(container.key(), container);
          } else {
            earlier.add(container);
            Files.deleteIfExists(file);
          }
        } catch (IllegalArgumentException | ArithmeticException | Json.MalformedException e) {
          conditions.add(
              new Condition(
                  Reason.STATE_UNREADABLE,
                  new ObjectRef("file", file.toString()),
                  "",
                  "The container cannot be read: " + e.getMessage() + ".",
                  "The container keeps its network as it is; delete it, then this file."));
        }
      }
    }
    return new Restored<>(earlier, conditions);
  }

  /** What is kept of {@code CONTAINER/INTERFACE}. */
  public Optional<T> get(String key) {
    return Optional.ofNullable(containers.get(key));
  }

  /** All that is kept: a copy. */
  public Collection<T> all() {
    return List.copyOf(containers.values());
  }

  /**
   * Keeps this, on disk first.
   *
   * @throws IOException when it could not be written; what was kept before still is
   */
  public void put(T container) throws IOException {
    Map<String, Object> fields = container.fields();
    fields.put("boot", bootId);
    Path file = file(container);
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(fresh);
    Files.createFile(fresh, PRIVATE_FILE);
    Files.writeString(fresh, Json.write(fields));
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    containers.put(container.key(), container);
  }

  /**
   * Keeps it no more.
   *
   * @throws IOException when the file could not be removed
   */
  public void remove(T container) throws IOException {
    containers.remove(container.key());
    Files.deleteIfExists(file(container));
  }

  private Path file(T container) {
    return directory.resolve(
        container.owner().containerId() + "@" + container.owner().interfaceName() + ".json");
  }
}
