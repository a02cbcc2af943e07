package dev.sund.agent.state;

import dev.sund.agent.local.Json;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The agent's directory of state, held by one agent at a time. See the package's essay for its
 * layout.
 *
 * <p>What happens when the agent dies at any point: a file is either the old or the new one, since
 * each is written beside its place and renamed over it; the lock goes with the process. How a
 * restarted agent knows that an attachment is still about a living pod: it names the boot it was
 * made in; attachments of an earlier boot are forgotten, because no namespace outlives the kernel.
 *
 * <p>Any thread may call; writers of one attachment must not overlap.
 */
public final class StateDir implements AutoCloseable {
  /** The schema version that this program writes, and the newest that it reads. */
  private static final int SCHEMA = 2;

  /**
   * The schema version that an agent must know to use what this program writes: the one before, so
   * that the agent of before can follow this one. What a new schema says beyond it may be relied on
   * one version later.
   */
  private static final int NEEDED = Math.max(1, SCHEMA - 1);

  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE_DIR =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE_FILE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private final Path dir;
  private final String bootId;
  private final FileChannel lockChannel;

  /**
   * The attachments on disk.
   *
   * @param attachments those of this boot
   * @param released those of this boot that were removed a moment ago
   * @param tunnels the addresses that the node's tunnels took from pools in this boot
   * @param conditions one for each file that could not be read; the file stays as it is
   */
  public record Restored(
      List<Attachment> attachments,
      List<Released> released,
      List<Ip> tunnels,
      List<Condition> conditions) {
    public Restored {
      tunnels = List.copyOf(tunnels);
      attachments = List.copyOf(attachments);
      released = List.copyOf(released);
      conditions = List.copyOf(conditions);
    }
  }

  /** An attachment that is no more, and when it was removed. */
  public record Released(Attachment attachment, Instant at) {}

  private StateDir(Path dir, String bootId, FileChannel lockChannel) {
    this.dir = dir;
    this.bootId = bootId;
    this.lockChannel = lockChannel;
  }

  /**
   * Opens the directory, makes it if need be, and takes its lock.
   *
   * @param dir the directory
   * @param bootId what tells this boot from others, from {@code /proc/sys/kernel/random/boot_id}
   * @param lockWait how long to wait for another agent to let go
   * @throws StateException when the state needs an agent that knows a newer schema, or another
   *     agent holds it; nothing was changed
   * @throws IOException when the file system refuses
   */
  public static StateDir open(Path dir, String bootId, Duration lockWait)
      throws IOException, InterruptedException {
    Files.createDirectories(dir, PRIVATE_DIR);
    FileChannel channel = lock(dir, lockWait);
    try {
      checkVersion(dir);
      Files.createDirectories(dir.resolve("attachments"), PRIVATE_DIR);
      Files.createDirectories(dir.resolve("released"), PRIVATE_DIR);
      return new StateDir(dir, bootId, channel);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * How many pods the state in a directory says are attached in this boot; changes nothing, and
   * needs no lock: an agent may run.
   */
  public static int attached(Path dir, String bootId) throws IOException {
    Path attachments = dir.resolve("attachments");
    if (!Files.isDirectory(attachments)) {
      return 0;
    }
    int count = 0;
    try (var files = Files.newDirectoryStream(attachments, "*.json")) {
      for (Path file : files) {
        try {
          if (bootId.equals(Json.text(Json.object(Files.readAllBytes(file)), "boot"))) {
            count++;
          }
        } catch (NoSuchFileException | IllegalArgumentException | Json.MalformedException _) {
          // detached meanwhile, or damaged: not one that is known to be attached
        }
      }
    }
    return count;
  }

  /** This boot's id. */
  public static String bootIdOfThisKernel() throws IOException {
    return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
  }

  /** The directory. */
  public Path path() {
    return dir;
  }

  /** Writes an attachment, over an earlier one of its key. */
  public void write(Attachment attachment) throws IOException {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("containerId", attachment.containerId());
    fields.put("interface", attachment.interfaceName());
    fields.put("netns", attachment.netns());
    fields.put("pod", attachment.pod().toString());
    fields.put("uid", attachment.uid());
    fields.put("addresses", attachment.addresses().stream().map(Ip::toString).toList());
    fields.put(
        "portMappings", attachment.portMappings().stream().map(PortMapping::toString).toList());
    attachment.mac().ifPresent(mac -> fields.put("mac", mac.toString()));
    fields.put("network", attachment.network());
    fields.put("boot", bootId);
    replace(file(attachment.containerId(), attachment.interfaceName()), Json.write(fields));
  }

  /**
   * Removes an attachment, and remembers when that was; nothing happens when there is none. Its
   * addresses must not be given at once to others, not even by another agent.
   */
  public void remove(Attachment attachment) throws IOException {
    Path file = file(attachment.containerId(), attachment.interfaceName());
    try {
      Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
      Files.move(
          file,
          dir.resolve("released").resolve(String.valueOf(file.getFileName())),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } catch (NoSuchFileException _) {
      // gone already
    }
  }

  /** Forgets what was removed before this time. */
  public void forgetReleased(Instant before) throws IOException {
    try (var files = Files.list(dir.resolve("released"))) {
      for (Path file : files.toList()) {
        if (Files.getLastModifiedTime(file).toInstant().isBefore(before)) {
          Files.deleteIfExists(file);
        }
      }
    } catch (NoSuchFileException _) {
      // forgotten by somebody else
    }
  }

  /**
   * Reads all attachments. Files of an earlier boot are deleted; what cannot be read is left alone
   * and becomes a condition.
   */
  public Restored restore() throws IOException {
    List<Attachment> attachments = new ArrayList<>();
    List<Condition> conditions = new ArrayList<>();
    try (var files = Files.list(dir.resolve("attachments"))) {
      for (Path file : files.sorted().toList()) {
        String name = String.valueOf(file.getFileName());
        if (name.endsWith(".new")) {
          Files.deleteIfExists(file); // the agent died before it gave the file its name
          continue;
        }
        try {
          Map<String, Object> fields = Json.object(Files.readAllBytes(file));
          if (!bootId.equals(Json.text(fields, "boot"))) {
            Files.deleteIfExists(file);
            continue;
          }
          attachments.add(attachment(fields));
        } catch (IllegalArgumentException | Json.MalformedException e) {
          conditions.add(unreadable(file, e));
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return new Restored(attachments, released(), tunnels(), conditions);
  }

  /** Writes which addresses the node's tunnels have taken from pools. */
  public void writeTunnels(List<Ip> addresses) throws IOException {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("addresses", addresses.stream().map(Ip::toString).toList());
    fields.put("boot", bootId);
    replace(dir.resolve("tunnels.json"), Json.write(fields));
  }

  /** A file that is absent, of another boot or not to be read says that none are taken. */
  private List<Ip> tunnels() throws IOException {
    try {
      Map<String, Object> fields = Json.object(Files.readAllBytes(dir.resolve("tunnels.json")));
      return bootId.equals(Json.text(fields, "boot"))
          ? Json.texts(fields, "addresses").stream().map(Ip::parse).toList()
          : List.of();
    } catch (NoSuchFileException | IllegalArgumentException | Json.MalformedException _) {
      return List.of();
    }
  }

  /** What was removed lately; a file that cannot be read says nothing that counts. */
  private List<Released> released() throws IOException {
    List<Released> released = new ArrayList<>();
    try (var files = Files.list(dir.resolve("released"))) {
      for (Path file : files.sorted().toList()) {
        try {
          Map<String, Object> fields = Json.object(Files.readAllBytes(file));
          if (bootId.equals(Json.text(fields, "boot"))) {
            Instant at = Files.getLastModifiedTime(file).toInstant();
            released.add(new Released(attachment(fields), at));
            continue;
          }
        } catch (IllegalArgumentException | Json.MalformedException _) {
          // deleted below
        }
        Files.deleteIfExists(file);
      }
    }
    return released;
  }

  /** Lets go of the lock. Idempotent. */
  @Override
  public void close() throws IOException {
    lockChannel.close();
  }

  private static Attachment attachment(Map<String, Object> fields) {
    Attachment attachment =
        new Attachment(
            Json.text(fields, "containerId"),
            Json.text(fields, "interface"),
            Json.text(fields, "netns"),
            PodKey.parse(Json.text(fields, "pod")),
            Json.text(fields, "uid"),
            Json.texts(fields, "addresses").stream().map(Ip::parse).toList());
    // What an agent before this one did not write was not asked for then.
    return attachment
        .withPortMappings(
            fields.containsKey("portMappings")
                ? Json.texts(fields, "portMappings").stream().map(PortMapping::parse).toList()
                : List.of())
        .withMac(
            fields.containsKey("mac")
                ? Optional.of(Mac.parse(Json.text(fields, "mac")))
                : Optional.empty())
        .withNetwork(fields.containsKey("network") ? Json.text(fields, "network") : "");
  }

  private Path file(String containerId, String interfaceName) {
    return dir.resolve("attachments").resolve(containerId + "@" + interfaceName + ".json");
  }

  private static Condition unreadable(Path file, Exception why) {
    return new Condition(
        Reason.STATE_UNREADABLE,
        new ObjectRef("file", file.toString()),
        "",
        "The attachment cannot be read: " + why.getMessage() + ".",
        "The pod keeps its network as it is; delete the pod, then this file.");
  }

  private static void checkVersion(Path dir) throws IOException {
    Path file = dir.resolve("version");
    if (!Files.exists(file)) {
      replace(file, NEEDED + "\n");
      return;
    }
    String text = Files.readString(file).strip();
    int needed = text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : 0;
    if (needed < 1) {
      throw refused(
          file,
          "'" + text + "' is not a schema version.",
          "Restore the file from a backup, or drain the node, move "
              + dir
              + " away and start again.");
    }
    if (needed > SCHEMA) {
      throw refused(
          file,
          "The state needs an agent that knows schema version "
              + needed
              + ", this one knows versions up to "
              + SCHEMA
              + ".",
          "Start the newer agent again, or drain the node, move "
              + dir
              + " away and start this one.");
    }
    if (needed < NEEDED) {
      replace(file, NEEDED + "\n");
    }
  }

  private static StateException refused(Path file, String text, String remedy) {
    return new StateException(
        new Condition(
            Reason.STATE_UNREADABLE, new ObjectRef("file", file.toString()), "", text, remedy));
  }

  private static FileChannel lock(Path dir, Duration wait)
      throws IOException, InterruptedException {
    Path file = dir.resolve("lock");
    FileChannel channel =
        FileChannel.open(
            file, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE), PRIVATE_FILE);
    try {
      long deadline = System.nanoTime() + wait.toNanos();
      while (tryLock(channel) == null) {
        if (System.nanoTime() - deadline >= 0) {
          throw new StateException(
              new Condition(
                  Reason.STATE_UNREADABLE,
                  new ObjectRef("file", file.toString()),
                  "",
                  "Another agent holds the state directory.",
                  "Stop it, or give this one its own --state-dir."));
        }
        Thread.sleep(20);
      }
      return channel;
    } catch (IOException | InterruptedException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException _) {
      return null; // another agent of this process
    }
  }

  private static void replace(Path file, String text) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(fresh);
    try (FileChannel channel =
        FileChannel.open(
            fresh, Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW), PRIVATE_FILE)) {
      ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
