package dev.sund.kernel.xtables;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.Fd;
import dev.sund.kernel.FileMutex;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.libc.Libc;
import dev.sund.model.Family;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Reads and replaces a table of one family, {@code filter} or another, of the older interface, in
 * the namespace that it was opened in. Needs CAP_NET_ADMIN there.
 *
 * <p>Never makes a table: the kernel makes one for whoever asks for it, and its hooks cost each
 * packet time. So it asks only when {@code /proc/net/ip_tables_names} has it.
 *
 * <p>One thread at a time, of the platform's.
 */
public final class FilterSocket implements AutoCloseable {
  private static final int AF_INET = 2;
  private static final int AF_INET6 = 10;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final String FILTER = "filter";

  /** What {@code iptables-legacy} locks while it reads and replaces. */
  private static final Path LOCK = Path.of("/run/xtables.lock");

  private static final Duration LOCK_WAIT = Duration.ofSeconds(1);

  /** A table may grow between the question for its size and the one for its rules. */
  private static final int READ_TRIES = 5;

  private final NetNs namespace;
  private final Family family;
  private final String table;
  private final XtLayout layout;
  private final Fd socket;

  private FilterSocket(NetNs namespace, Family family, String table, Fd socket) {
    this.namespace = namespace;
    this.family = family;
    this.table = table;
    this.layout = XtLayout.of(family);
    this.socket = socket;
  }

  /** Opens one of the table {@code filter} in a namespace. */
  public static FilterSocket open(NetNs namespace, Family family) throws KernelException {
    return open(namespace, family, FILTER);
  }

  /**
   * Opens one of another table.
   *
   * @param table such as {@code nat}, at most 31 characters
   */
  public static FilterSocket open(NetNs namespace, Family family, String table)
      throws KernelException {
    int domain = family == Family.V4 ? AF_INET : AF_INET6;
    return namespace.call(() -> {
      int number = Libc.socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      Errno.check(number, "open", "xtables socket");
      return new FilterSocket(namespace, family, table, Fd.own(number, "xtables socket"));
    });
  }

  /** Of whose packets the table is. */
  public Family family() {
    return family;
  }

  /** Whether the table is there, made by somebody. */
  public boolean exists() throws KernelException {
    Path file = Path.of("/proc/thread-self/net", layout.names());
    return namespace.call(() -> {
      try {
        return Files.readAllLines(file, StandardCharsets.US_ASCII).contains(table);
      } catch (IOException _) {
        return false; // the kernel has no such interface, or its module was never loaded
      }
    });
  }

  /** The table as it is; empty when there is none. */
  public Optional<FilterTable> read() throws KernelException {
    if (!exists()) {
      return Optional.empty();
    }
    for (int i = 1; ; i++) {
      try {
        return Optional.of(readNow());
      } catch (KernelException e) {
        if (!Errno.EAGAIN.is(-e.errno()) || i == READ_TRIES) {
          throw e;
        }
      }
    }
  }

  private FilterTable readNow() throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(XtLayout.INFO_BYTES, 8);
      name(info);
      get(XtLayout.SO_GET_INFO, info, arena);
      int size = info.get(ValueLayout.JAVA_INT, XtLayout.INFO_SIZE);
      MemorySegment entries = arena.allocate(XtLayout.GET_ENTRIES_HEAD + (long) size, 8);
      name(entries);
      entries.set(ValueLayout.JAVA_INT, XtLayout.GET_ENTRIES_SIZE, size);
      get(XtLayout.SO_GET_ENTRIES, entries, arena);
      byte[] bytes =
          entries.asSlice(XtLayout.GET_ENTRIES_HEAD, size).toArray(ValueLayout.JAVA_BYTE);
      try {
        return FilterTable.read(
            family,
            info.get(ValueLayout.JAVA_INT, XtLayout.INFO_VALID_HOOKS),
            numbers(info, XtLayout.INFO_HOOK_ENTRY),
            numbers(info, XtLayout.INFO_UNDERFLOW),
            bytes);
      } catch (IllegalArgumentException e) {
        throw new KernelException.Malformed("table " + table, String.valueOf(e.getMessage()));
      }
    }
  }

  private static int[] numbers(MemorySegment from, int at) {
    return from.asSlice(at, XtLayout.HOOKS * 4L).toArray(ValueLayout.JAVA_INT);
  }

  private void name(MemorySegment into) {
    into.setString(0, table, StandardCharsets.US_ASCII);
  }

  private void get(int option, MemorySegment value, Arena arena) throws KernelException {
    MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) value.byteSize());
    Errno.check(
        Libc.getsockopt(socket.number(), layout.level(), option, value, length),
        "read",
        "table " + this);
  }

  /** Makes the table that is there another; what is counted goes on being counted. */
  public interface Change {
    /** The table that is wanted; empty when it is right as it is. */
    Optional<FilterTable> of(FilterTable now);
  }

  /**
   * Changes the table, in one piece: packets meet the old rules or the new ones. Other programs
   * that keep {@code /run/xtables.lock} wait meanwhile, where that file is to be had; of a change
   * of one that does not wait, made between the reading and the writing here, the kernel tells only
   * if the number of rules differs.
   *
   * @return whether anything was changed
   * @throws KernelException.Busy while another program holds the lock
   */
  public boolean change(Change change) throws KernelException {
    if (!exists()) {
      return false;
    }
    Optional<FileMutex> lock = lock();
    try {
      Optional<FilterTable> before = read();
      Optional<FilterTable> after = before.flatMap(change::of);
      if (before.isEmpty() || after.isEmpty()) {
        return false;
      }
      replace(after.get(), before.get().numEntries());
      return true;
    } finally {
      lock.ifPresent(FileMutex::close);
    }
  }

  /** The lock; none where there can be none, as in a container without that file. */
  private static Optional<FileMutex> lock() throws KernelException {
    Optional<FileMutex> lock;
    try {
      lock = FileMutex.tryLock(LOCK, 0600, LOCK_WAIT);
    } catch (IOException _) {
      return Optional.empty();
    }
    if (lock.isEmpty()) {
      throw Errno.exception(
          "lock",
          LOCK.toString(),
          Errno.EBUSY.number(),
          "another iptables holds it",
          Capability.NET_ADMIN);
    }
    return lock;
  }

  private void replace(FilterTable rules, int before) throws KernelException {
    byte[] bytes = rules.bytes();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment counted = arena.allocate((long) before * XtLayout.COUNTER_BYTES, 8);
      MemorySegment replace = arena.allocate(XtLayout.REPLACE_HEAD + (long) bytes.length, 8);
      name(replace);
      replace.set(ValueLayout.JAVA_INT, XtLayout.INFO_VALID_HOOKS, rules.validHooks());
      replace.set(ValueLayout.JAVA_INT, XtLayout.REPLACE_NUM_ENTRIES, rules.numEntries());
      replace.set(ValueLayout.JAVA_INT, XtLayout.REPLACE_SIZE, bytes.length);
      MemorySegment.copy(
          rules.hookEntry(),
          0,
          replace,
          ValueLayout.JAVA_INT,
          XtLayout.REPLACE_HOOK_ENTRY,
          XtLayout.HOOKS);
      MemorySegment.copy(
          rules.underflow(),
          0,
          replace,
          ValueLayout.JAVA_INT,
          XtLayout.REPLACE_UNDERFLOW,
          XtLayout.HOOKS);
      replace.set(ValueLayout.JAVA_INT, XtLayout.REPLACE_NUM_COUNTERS, before);
      replace.set(ValueLayout.ADDRESS, XtLayout.REPLACE_COUNTERS, counted);
      MemorySegment.copy(
          bytes, 0, replace, ValueLayout.JAVA_BYTE, XtLayout.REPLACE_HEAD, bytes.length);
      set(XtLayout.SO_SET_REPLACE, replace);
      set(XtLayout.SO_SET_ADD_COUNTERS, counters(rules, counted, arena));
    }
  }

  /** What the old rules counted, at the places of the new table. */
  private MemorySegment counters(FilterTable rules, MemorySegment counted, Arena arena) {
    int[] numbers = rules.numbers();
    MemorySegment counters =
        arena.allocate(XtLayout.COUNTERS_HEAD + (long) numbers.length * XtLayout.COUNTER_BYTES, 8);
    name(counters);
    counters.set(ValueLayout.JAVA_INT, XtLayout.NAME_BYTES, numbers.length);
    for (int i = 0; i < numbers.length; i++) {
      if (numbers[i] != FilterTable.NEW) {
        MemorySegment.copy(
            counted,
            (long) numbers[i] * XtLayout.COUNTER_BYTES,
            counters,
            XtLayout.COUNTERS_HEAD + (long) i * XtLayout.COUNTER_BYTES,
            XtLayout.COUNTER_BYTES);
      }
    }
    return counters;
  }

  private void set(int option, MemorySegment value) throws KernelException {
    Errno.check(
        Libc.setsockopt(socket.number(), layout.level(), option, value, (int) value.byteSize()),
        "replace",
        "table " + this);
  }

  /** As {@code iptables-legacy} and {@code ip6tables-legacy} have it. */
  @Override
  public String toString() {
    return (family == Family.V4 ? "iptables-legacy " : "ip6tables-legacy ") + table;
  }

  @Override
  public void close() {
    socket.close();
  }
}
