package dev.sund.kernel.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.route.RouteBatch;
import dev.sund.kernel.route.RouteSocket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * Network namespaces of one test. Their names begin with {@code sundt-} and hold the process's
 * number; {@link #close} removes them and fails the test when it left a descriptor open, a thread
 * running or a thread in another namespace.
 *
 * <pre>
 *   private final TestNetns net = TestNetns.open();
 *   {@literal @}AfterEach void close() { net.close(); }
 * </pre>
 */
public final class TestNetns implements AutoCloseable {
  private static final AtomicInteger NUMBER = new AtomicInteger();
  private static final long PATIENCE_SECONDS = 60;

  private final Set<String> descriptorsBefore = new HashSet<>(Fd.openDescriptors());
  private final Set<Thread> threadsBefore = new HashSet<>(Thread.getAllStackTraces().keySet());
  private final List<NetNs> namespaces = new ArrayList<>();
  private final String prefix =
      "sundt-" + ProcessHandle.current().pid() + "-" + NUMBER.incrementAndGet() + "-";

  private TestNetns() {}

  /** What a program printed and how it ended. */
  public record Result(int exit, String out, String err) {}

  /**
   * Begins. The test is skipped, saying so, for a user other than root; as root nothing is skipped.
   */
  public static TestNetns open() {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")),
        "network namespaces need root; run this test with sudo");
    sweep();
    return new TestNetns();
  }

  /** Makes a namespace whose loopback device is up. */
  public NetNs create(String label) {
    try {
      NetNs namespace = NetNs.create(prefix + label);
      namespaces.add(namespace);
      try (RouteSocket socket = RouteSocket.open(namespace)) {
        socket.apply(new RouteBatch().up("lo")).getFirst().orThrow();
      }
      return namespace;
    } catch (KernelException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Joins two namespaces by a veth pair, both ends up; the first end gets an address of each
   * family.
   */
  public static void link(
      NetNs one, String device, String v4, String v6, NetNs other, String otherDevice) {
    words(one, "ip link add " + device + " type veth peer name " + otherDevice + " netns " + other);
    words(one, "ip addr add " + v4 + " dev " + device);
    words(one, "ip link set " + device + " up");
    words(other, "ip link set " + otherDevice + " up");
    words(one, "ip -6 addr add " + v6 + " dev " + device + " nodad");
  }

  private static void words(NetNs namespace, String command) {
    run(namespace, command.split(" "));
  }

  /** Removes these namespaces and looks for what was left behind. */
  @Override
  public void close() {
    List<String> faults = new ArrayList<>();
    for (NetNs namespace : namespaces) {
      try {
        namespace.delete();
      } catch (KernelException e) {
        faults.add(String.valueOf(e.getMessage()));
      }
    }
    Fd.openDescriptors().stream()
        .filter(line -> !descriptorsBefore.contains(line))
        .forEach(line -> faults.add("left open: " + line));
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().startsWith("sund-")
          && !threadsBefore.contains(thread)
          && !endsSoon(thread)) {
        faults.add("left running: " + thread + " at " + Arrays.toString(thread.getStackTrace()));
      }
    }
    faults.addAll(threadsElsewhere());
    if (!faults.isEmpty()) {
      throw new AssertionError(String.join("\n", faults));
    }
  }

  /**
   * Runs a program in a namespace.
   *
   * @return what it printed
   * @throws AssertionError when it fails
   */
  public static String run(NetNs namespace, String... command) {
    Result result = tryRun(namespace, command);
    if (result.exit != 0) {
      throw new AssertionError(
          String.join(" ", command) + " ended with " + result.exit + ": " + result.err);
    }
    return result.out;
  }

  /** As {@link #run}, also when the program fails. */
  public static Result tryRun(NetNs namespace, String... command) {
    List<String> whole = new ArrayList<>(List.of("nsenter", "--net=" + namespace.path(), "--"));
    whole.addAll(List.of(command));
    return execute(whole);
  }

  /** What {@code ip -j ARGUMENTS} prints in a namespace. */
  public static Json ip(NetNs namespace, String... arguments) {
    return json(namespace, "ip", "-j", "-d", arguments);
  }

  /** What {@code bridge -j ARGUMENTS} prints in a namespace. */
  public static Json bridge(NetNs namespace, String... arguments) {
    return json(namespace, "bridge", "-j", "-d", arguments);
  }

  private static Json json(
      NetNs namespace, String program, String json, String detail, String... arguments) {
    String[] command =
        Stream.concat(Stream.of(program, json, detail), Stream.of(arguments))
            .toArray(String[]::new);
    String text = run(namespace, command);
    return Json.parse(text.isBlank() ? "[]" : text);
  }

  /** Runs a program and waits for it, at most a minute. */
  public static Result execute(List<String> command) {
    try {
      Path out = Files.createTempFile("sundt", ".out");
      Path err = Files.createTempFile("sundt", ".err");
      try {
        Process process =
            new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new AssertionError(
              String.join(" ", command) + " took longer than " + PATIENCE_SECONDS + " s");
        }
        return new Result(
            process.exitValue(), Files.readString(out, UTF_8), Files.readString(err, UTF_8));
      } finally {
        Files.delete(out);
        Files.delete(err);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  private static boolean endsSoon(Thread thread) {
    try {
      return thread.join(java.time.Duration.ofSeconds(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * Threads of this process that are in a namespace of another test's or of this one. A thread that
   * has been joined is still listed until the kernel has ended it, so they are given some time.
   */
  private static List<String> threadsElsewhere() {
    long end = System.nanoTime() + 10_000_000_000L;
    List<String> faults = threadsElsewhereNow();
    while (!faults.isEmpty() && System.nanoTime() < end) {
      Thread.onSpinWait();
      faults = threadsElsewhereNow();
    }
    return faults;
  }

  private static List<String> threadsElsewhereNow() {
    List<String> faults = new ArrayList<>();
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      String home = Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString();
      for (Path task : tasks.toList()) {
        try {
          String there = Files.readSymbolicLink(task.resolve("ns/net")).toString();
          if (!there.equals(home)) {
            faults.add(
                "left in a namespace: thread " + Files.readString(task.resolve("comm")).strip());
          }
        } catch (IOException _) {
          // it has ended meanwhile
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return faults;
  }

  /** Removes what tests of processes that are no more have left. */
  private static void sweep() {
    if (!Files.isDirectory(NetNs.DIRECTORY)) {
      return;
    }
    try (Stream<Path> names = Files.list(NetNs.DIRECTORY)) {
      for (Path path : names.toList()) {
        String[] parts = path.getFileName().toString().split("-", 4);
        if (parts.length == 4
            && parts[0].equals("sundt")
            && parts[1].matches("[0-9]{1,9}")
            && ProcessHandle.of(Long.parseLong(parts[1])).isEmpty()) {
          NetNs.at(path).delete();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
