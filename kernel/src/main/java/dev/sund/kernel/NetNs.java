package dev.sund.kernel;

import dev.sund.kernel.libc.Libc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A network namespace, named by a path such as {@code /run/netns/NAME} or {@code /proc/PID/ns/net}.
 *
 * <p>{@link #call} runs work inside: on a fresh platform thread that enters, runs and dies, so that
 * no thread of a pool can be left in the wrong place. Inside, open sockets and return them: a
 * socket keeps the namespace in which it was opened, whoever uses it. Inside, start no thread, no
 * subprocess and no executor: what is born there stays there and keeps the namespace alive.
 *
 * <p>Entering, creating and deleting need CAP_SYS_ADMIN; running in {@link #ofProcess} needs
 * nothing. Never on a virtual thread.
 *
 * @param path the namespace's file
 */
public record NetNs(Path path) {
  /** Where named namespaces are: the directory of {@code ip netns}. */
  public static final Path DIRECTORY = Path.of("/run/netns");

  private static final Path OF_PROCESS = Path.of("/proc/self/ns/net");

  /**
   * Threads that visit other namespaces and come back. They are few and kept for a moment only:
   * making a thread costs more than most visits.
   */
  private static final ThreadPoolExecutor VISITORS =
      new ThreadPoolExecutor(
          0, Integer.MAX_VALUE, 5, TimeUnit.SECONDS, new SynchronousQueue<>(), Visitor::new);

  private static final int CLONE_NEWNET = 0x40000000;
  private static final int O_CLOEXEC = 0x80000;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final long MS_BIND = 0x1000;
  private static final long MS_REC = 0x4000;
  private static final long MS_SHARED = 1 << 20;
  private static final int MNT_DETACH = 2;
  private static final int LOCK_EX = 2;

  /** Work to do inside a namespace. */
  @FunctionalInterface
  public interface Body<T extends @Nullable Object, E extends Exception> {
    /** Does it. */
    T run() throws E;
  }

  /** The namespace of this process: that of its first thread. */
  public static NetNs ofProcess() {
    return new NetNs(OF_PROCESS);
  }

  /** The namespace at {@code path}. */
  public static NetNs at(Path path) {
    return new NetNs(path);
  }

  /** The namespace that {@code ip netns} knows by {@code name}. */
  public static NetNs named(String name) {
    return new NetNs(DIRECTORY.resolve(name));
  }

  /**
   * Makes a namespace with a name that outlives this process. Its loopback device is down.
   *
   * @throws KernelException.AlreadyExists when the name is taken
   * @throws KernelException.Denied without CAP_SYS_ADMIN
   */
  public static NetNs create(String name) throws KernelException {
    NetNs made = named(name);
    try {
      Files.createDirectories(DIRECTORY);
      shareDirectory();
      Files.createFile(made.path);
    } catch (java.nio.file.FileAlreadyExistsException _) {
      throw Errno.exception(
          "create namespace", name, Errno.EEXIST.number(), "", Capability.SYS_ADMIN);
    } catch (KernelException e) {
      throw e;
    } catch (IOException e) {
      throw ioFailure("create namespace", name, e);
    }
    boolean mounted = false;
    try {
      onFreshThread(() -> {
        check(Libc.unshare(CLONE_NEWNET), "create namespace", name);
        check(
            mount("/proc/thread-self/ns/net", made.path.toString(), MS_BIND),
            "mount namespace",
            made.path.toString());
        return null;
      });
      mounted = true;
      return made;
    } finally {
      if (!mounted) {
        made.path.toFile().delete();
      }
    }
  }

  /**
   * Removes the name. The namespace itself goes when nothing uses it any more.
   *
   * @return whether there was one
   */
  public boolean delete() throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      int unmounted = Libc.umount2(arena.allocateFrom(path.toString()), MNT_DETACH);
      if (Errno.ENOENT.is(unmounted)) {
        return false;
      }
      if (!Errno.EINVAL.is(unmounted)) { // EINVAL: a file that nothing is mounted on
        check(unmounted, "unmount namespace", path.toString());
      }
    }
    try {
      return Files.deleteIfExists(path);
    } catch (IOException e) {
      throw ioFailure("delete namespace", path.toString(), e);
    }
  }

  /** Whether the file is there. */
  public boolean exists() {
    return Files.exists(path);
  }

  /** The inode number by which two paths of one namespace are known to be the same. */
  public OptionalLong inode() {
    try {
      return Files.getAttribute(path, "unix:ino") instanceof Long inode
          ? OptionalLong.of(inode)
          : OptionalLong.empty();
    } catch (IOException _) {
      return OptionalLong.empty();
    }
  }

  /**
   * Opens the namespace's file. While it is open the namespace lives; the caller closes it.
   *
   * @throws KernelException.NotFound when there is no such file
   */
  public Fd open() throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      int number = Libc.open(arena.allocateFrom(path.toString()), O_CLOEXEC, 0);
      return Fd.own(check(number, "open namespace", path.toString()), "namespace " + path);
    }
  }

  /**
   * Runs {@code body} inside this namespace, on a thread of its own, and waits for it.
   *
   * @return what the body returns
   * @throws E what the body throws
   * @throws KernelException.NotFound when there is no such namespace
   * @throws KernelException.Denied without CAP_SYS_ADMIN
   * @throws IllegalStateException on a virtual thread
   */
  public <T extends @Nullable Object, E extends Exception> T call(Body<T, E> body)
      throws E, KernelException {
    Libc.refuseVirtual("NetNs.call");
    if (isHere()) {
      return onVisitor(body, null);
    }
    try (Fd namespace = open()) {
      return onVisitor(body, namespace);
    }
  }

  /** As {@link #call(Body)}, in a namespace that is held open: its file is not opened again. */
  public static <T extends @Nullable Object, E extends Exception> T call(Fd open, Body<T, E> body)
      throws E, KernelException {
    Libc.refuseVirtual("NetNs.call");
    return onVisitor(body, open);
  }

  /** As {@link #call(Body)}, in the namespace at {@code path}. */
  public static <T extends @Nullable Object, E extends Exception> T call(Path path, Body<T, E> body)
      throws E, KernelException {
    return at(path).call(body);
  }

  /**
   * Opens a socket of this namespace (socket(2) with SOCK_CLOEXEC); the caller closes it.
   *
   * @param what what it is, for reports
   */
  public Fd socket(int domain, int type, int protocol, String what) throws KernelException {
    Body<Integer, KernelException> open = () -> Libc.socket(domain, type | SOCK_CLOEXEC, protocol);
    return own(isHere() ? open.run() : call(open), domain, type, what);
  }

  /**
   * As {@link #socket(int, int, int, String)}, of this namespace held open, after {@code first} has
   * run inside: one visit for both.
   *
   * @param open this namespace
   */
  public Fd socket(Fd open, int domain, int type, int protocol, String what, Runnable first)
      throws KernelException {
    Body<Integer, KernelException> visit =
        () -> {
          first.run();
          return Libc.socket(domain, type | SOCK_CLOEXEC, protocol);
        };
    return own(call(open, visit), domain, type, what);
  }

  private Fd own(int number, int domain, int type, String what) throws KernelException {
    return Fd.own(
        Errno.check(
            number,
            "open",
            what + " in " + this,
            domain == 17 || type == 3 ? Capability.NET_RAW : Capability.NET_ADMIN),
        what + " of " + this);
  }

  /** The name of a named namespace, else the path. */
  @Override
  public String toString() {
    Path name = path.getFileName();
    return DIRECTORY.equals(path.getParent()) && name != null ? name.toString() : path.toString();
  }

  /** For what the thread does not come back from. */
  private static <T extends @Nullable Object> T onFreshThread(Body<T, KernelException> body)
      throws KernelException {
    Visit<T, KernelException> visit = new Visit<>(body, null);
    new Visitor(visit).start();
    return visit.await();
  }

  private static <T extends @Nullable Object, E extends Exception> T onVisitor(
      Body<T, E> body, @Nullable Fd namespace) throws E, KernelException {
    Visit<T, E> visit = new Visit<>(body, namespace);
    VISITORS.execute(visit);
    return visit.await();
  }

  /** This process's own namespace, for the way back; stays open. */
  private static final class Home {
    private static int number = -1;

    static synchronized int number() {
      if (number < 0) {
        try (Arena arena = Arena.ofConfined()) {
          number = Libc.open(arena.allocateFrom(OF_PROCESS.toString()), O_CLOEXEC, 0);
        }
      }
      return number;
    }
  }

  /** Other mount namespaces must see a name appear and go, as with {@code ip netns}. */
  private static void shareDirectory() throws KernelException {
    String directory = DIRECTORY.toString();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom(directory);
      int opened = Libc.open(path, O_CLOEXEC, 0);
      try (Fd lock = Fd.own(check(opened, "open", directory), directory)) {
        check(Libc.flock(lock.number(), LOCK_EX), "lock", directory);
        int shared = mount("none", directory, MS_SHARED | MS_REC);
        if (Errno.EINVAL.is(shared)) { // not a mount point yet
          check(mount(directory, directory, MS_BIND | MS_REC), "bind", directory);
          shared = mount("none", directory, MS_SHARED | MS_REC);
        }
        check(shared, "share", directory);
      }
    }
  }

  private static int mount(String source, String target, long flags) {
    try (Arena arena = Arena.ofConfined()) {
      return Libc.mount(
          arena.allocateFrom(source),
          arena.allocateFrom(target),
          arena.allocateFrom("none"),
          flags,
          MemorySegment.NULL);
    }
  }

  private static int check(int result, String operation, String object) throws KernelException {
    return Errno.check(result, operation, object, Capability.SYS_ADMIN);
  }

  private static KernelException ioFailure(String operation, String object, IOException e) {
    int number =
        switch (e) {
          case NoSuchFileException _ -> Errno.ENOENT.number();
          case java.nio.file.AccessDeniedException _ -> Errno.EACCES.number();
          case IOException _ -> Errno.EIO.number();
        };
    return Errno.exception(operation, object, number, "", Capability.DAC_OVERRIDE);
  }

  /** Whether a thread started here is in this namespace already. */
  private boolean isHere() {
    return path.equals(OF_PROCESS) && !(Thread.currentThread() instanceof Visitor);
  }

  /** A thread that is, or will be, in another namespace than its process. */
  private static final class Visitor extends Thread {
    static final String IDLE = "netns-idle";

    Visitor(Runnable visit) {
      super(null, visit, IDLE, 0, false); // no inherited thread-locals
      setDaemon(true);
      setUncaughtExceptionHandler((_, _) -> {}); // only of those that found no way back
    }
  }

  /** One visit to a namespace: what ran, and how it ended. */
  private static final class Visit<T extends @Nullable Object, E extends Exception>
      implements Runnable {
    private final Body<T, E> body;
    private final @Nullable Fd namespace;
    private final CountDownLatch done = new CountDownLatch(1);
    private @Nullable T value;
    private @Nullable Throwable failure;

    Visit(Body<T, E> body, @Nullable Fd namespace) {
      this.body = body;
      this.namespace = namespace;
    }

    @Override
    public void run() {
      boolean away = false;
      Thread.currentThread().setName("sund-netns");
      try {
        if (namespace != null) {
          check(Libc.setns(namespace.number(), CLONE_NEWNET), "enter", namespace.what());
          away = true;
        }
        value = body.run();
      } catch (Throwable thrown) { // carried to the caller, whatever it is
        failure = thrown;
      }
      // A thread that stayed would keep the namespace alive.
      boolean home = !away || Libc.setns(Home.number(), CLONE_NEWNET) >= 0;
      Thread.currentThread().setName(Visitor.IDLE);
      done.countDown();
      if (!home) {
        throw new IllegalStateException("no way back from another namespace: this thread ends");
      }
    }

    /** Waits for its end, through interrupts: the body may hold a half-opened socket. */
    T await() throws E, KernelException {
      boolean interrupted = false;
      while (true) {
        try {
          done.await();
          break;
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      return outcome();
    }

    @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"})
    // The body throws E or something unchecked, and its value is null only where T allows null.
    private T outcome() throws E, KernelException {
      Throwable thrown = failure;
      if (thrown == null) {
        return value;
      }
      switch (thrown) {
        case KernelException e -> throw e;
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case Throwable e -> throw (E) e;
      }
    }
  }
}
