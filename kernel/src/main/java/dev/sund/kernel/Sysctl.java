package dev.sund.kernel;

import dev.sund.kernel.libc.Libc;
import dev.sund.model.Checks;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A setting under {@code /proc/sys/net}: one value of one network namespace.
 *
 * <p>The files show the namespace of the thread that opens them, so every call runs inside {@link
 * NetNs#call}; those that take several settings enter once.
 *
 * @param key the path below {@code /proc/sys} with slashes, such as {@code net/ipv4/ip_forward}; a
 *     device's name may hold dots, so dots are not separators
 */
public record Sysctl(String key) implements Comparable<Sysctl> {
  private static final Path ROOT = Path.of("/proc/sys");
  private static final int MOST_BYTES = 4096;
  private static final int O_WRONLY = 1;
  private static final int O_CLOEXEC = 0x80000;

  /** MS_REMOUNT and MS_BIND without MS_RDONLY; MS_NOSUID, MS_NODEV and MS_NOEXEC as runtimes do. */
  private static final long REMOUNT_WRITABLE = 32 | 4096 | 2 | 4 | 8;

  public Sysctl {
    if (!key.startsWith("net/") || key.contains("..") || key.endsWith("/")) {
      throw new IllegalArgumentException(
          "a sysctl of a network namespace begins with net/ and names a file, but is '"
              + key
              + "'");
    }
  }

  /** {@code net/ipv4/NAME}. */
  public static Sysctl ipv4(String name) {
    return new Sysctl("net/ipv4/" + name);
  }

  /** {@code net/ipv4/conf/DEVICE/NAME}; DEVICE may be {@code all} or {@code default}. */
  public static Sysctl ipv4Conf(String device, String name) {
    return new Sysctl("net/ipv4/conf/" + device + "/" + name);
  }

  /** {@code net/ipv6/conf/DEVICE/NAME}; DEVICE may be {@code all} or {@code default}. */
  public static Sysctl ipv6Conf(String device, String name) {
    return new Sysctl("net/ipv6/conf/" + device + "/" + name);
  }

  /**
   * The value in {@code namespace}, without the line's end; empty when there is no such setting
   * (the device is gone, IPv6 is off).
   */
  public Optional<String> read(NetNs namespace) throws KernelException {
    return namespace.call(this::readHere);
  }

  /** The value as a whole number, empty when there is no such setting. */
  public Optional<Integer> readInt(NetNs namespace) throws KernelException {
    Optional<String> text = read(namespace);
    return text.isEmpty() ? Optional.empty() : Optional.of(parse(text.get()));
  }

  /** The values of several settings, in one visit; those that do not exist are left out. */
  public static Map<Sysctl, String> readAll(NetNs namespace, List<Sysctl> settings)
      throws KernelException {
    return namespace.call(() -> {
      Map<Sysctl, String> values = new LinkedHashMap<>();
      for (Sysctl setting : settings) {
        Optional<String> value = setting.readHere();
        if (value.isPresent()) {
          values.put(setting, value.get());
        }
      }
      return values;
    });
  }

  /**
   * Sets the value.
   *
   * @throws KernelException.NotFound when there is no such setting
   * @throws KernelException.Denied without CAP_NET_ADMIN
   * @throws KernelException.Refused when the kernel does not accept the value, or with EROFS when
   *     /proc/sys is mounted read-only and stays so: a container's own such mount is made writable,
   *     which takes CAP_SYS_ADMIN
   */
  public void write(NetNs namespace, String value) throws KernelException {
    namespace.call(() -> {
      writeHere(value);
      return true;
    });
  }

  /** As {@link #write(NetNs, String)}. */
  public void write(NetNs namespace, int value) throws KernelException {
    write(namespace, Integer.toString(value));
  }

  /**
   * Sets several values in one visit, in the map's order, and goes on after a failure.
   *
   * @return the failures, empty when all were set
   */
  public static List<KernelException> writeAll(NetNs namespace, Map<Sysctl, String> values)
      throws KernelException {
    return namespace.call(() -> writeAllHere(values));
  }

  /** As {@link #writeAll}, in the network namespace of the calling thread. */
  public static List<KernelException> writeAllHere(Map<Sysctl, String> values) {
    List<KernelException> failures = new ArrayList<>();
    values.forEach((setting, value) -> {
      try {
        setting.writeHere(value);
      } catch (KernelException e) {
        failures.add(e);
      }
    });
    return failures;
  }

  @Override
  public int compareTo(Sysctl other) {
    return key.compareTo(other.key);
  }

  /** The key. */
  @Override
  public String toString() {
    return key;
  }

  private Optional<String> readHere() throws KernelException {
    // In one read(2): many settings end after the first, however little was asked for, and the
    // JDK's way to read a file of unknown length begins with one byte.
    byte[] bytes = new byte[MOST_BYTES];
    try (InputStream in = Files.newInputStream(file())) {
      int length = Math.max(0, in.read(bytes));
      return Optional.of(new String(bytes, 0, length, StandardCharsets.US_ASCII).stripTrailing());
    } catch (NoSuchFileException | FileNotFoundException _) {
      return Optional.empty();
    } catch (IOException e) {
      throw failure("read sysctl", key, e);
    }
  }

  private void writeHere(String value) throws KernelException {
    int written = writeOnce(value);
    if (Errno.EROFS.is(written) && makeWritable()) {
      written = writeOnce(value);
    }
    int outcome = Errno.check(written, "write sysctl", key + " = " + value, Capability.NET_ADMIN);
    Checks.that(outcome == value.length(), "a setting is written at once");
  }

  /** One write(2) with no truncation, as sysctl files want; the bytes written or minus an errno. */
  private int writeOnce(String value) {
    try (Arena arena = Arena.ofConfined()) {
      int file = Libc.open(arena.allocateFrom(ROOT + "/" + key), O_WRONLY | O_CLOEXEC, 0);
      if (file < 0) {
        return file;
      }
      try {
        byte[] bytes = value.getBytes(StandardCharsets.US_ASCII);
        MemorySegment text = arena.allocate(Math.max(1, bytes.length));
        MemorySegment.copy(bytes, 0, text, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return (int) Libc.write(file, text, bytes.length);
      } finally {
        int closed = Libc.close(file);
      }
    }
  }

  /**
   * Container runtimes mount /proc/sys read-only unless a container may do everything. The mount is
   * the container's own, so it can be made writable there and nothing else changes; where /proc/sys
   * is no mount of its own, as outside of containers, the kernel refuses this.
   */
  private static boolean makeWritable() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment none = arena.allocateFrom("none");
      int outcome =
          Libc.mount(none, arena.allocateFrom(ROOT.toString()), none, REMOUNT_WRITABLE, none);
      return outcome >= 0;
    }
  }

  private Path file() {
    return ROOT.resolve(key);
  }

  private static int parse(String text) throws KernelException {
    try {
      return Integer.parseInt(text.strip());
    } catch (NumberFormatException _) {
      throw new KernelException.Malformed("sysctl", "'" + text + "' is not a whole number");
    }
  }

  private static KernelException failure(String operation, String object, IOException e) {
    if (e instanceof NoSuchFileException) {
      return Errno.exception(operation, object, Errno.ENOENT.number(), "", Capability.NET_ADMIN);
    }
    if (e instanceof AccessDeniedException) {
      return Errno.exception(operation, object, Errno.EACCES.number(), "", Capability.NET_ADMIN);
    }
    // The JDK gives the C library's text and no number.
    String message = String.valueOf(e.getMessage());
    for (Errno errno : Errno.values()) {
      if (message.endsWith(errno.text())) {
        return Errno.exception(operation, object, errno.number(), "", Capability.NET_ADMIN);
      }
    }
    return Errno.exception(operation, object, Errno.EIO.number(), message, Capability.NET_ADMIN);
  }
}
