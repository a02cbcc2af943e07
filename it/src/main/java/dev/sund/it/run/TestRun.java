package dev.sund.it.run;

import dev.sund.cli.CheckoutTool;
import dev.sund.cli.ExitCode;
import dev.sund.it.run.Result.Status;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** {@code sund test}: runs the tiers one after the other and prints what became of each test. */
public final class TestRun implements CheckoutTool {
  /** With all that it needs but Python, nft and what every Debian has. */
  private static final List<String> FIREWALLD =
      List.of(
          "firewalld",
          "python3-firewall",
          "python3-nftables",
          "python3-dbus",
          "python3-gi",
          "python3-jsonschema",
          "python3-attr",
          "python3-pyrsistent",
          "gir1.2-glib-2.0",
          "libgirepository-1.0-1",
          "libglib2.0-0",
          "libffi8",
          "libdbus-1-3",
          "libapparmor1",
          "libnftables1",
          "libjansson4",
          "libedit2",
          "dbus-daemon");

  private final AtomicInteger workers = new AtomicInteger();
  private final List<Result> results = new ArrayList<>();
  private final List<String> summary = new ArrayList<>();

  @Override
  public String command() {
    return "test";
  }

  @Override
  public int run(Request request, PrintWriter out) throws Exception {
    Checkout checkout = new Checkout(Path.of(System.getProperty("sund.root")));
    empty(checkout.reports());
    long seed = request.seed().orElseGet(() -> new SplittableRandom().nextLong(1_000_000_000L));
    boolean root = isRoot();
    Commands commands = new Commands(checkout, request, seed, root);
    out.printf(
        "seed %d, counts %s%n", seed, request.thorough() ? "in full" : "a tenth (--long: in full)");
    String setUp = System.getenv("SUND_SETUP_SECONDS");
    summary.add(line("set-up and build", setUp == null ? "0" : setUp, ""));
    Map<Tier, List<Map<String, Integer>>> found = new EnumMap<>(Tier.class);
    try (Worker worker = commands.start(Tier.UNIT, workers.incrementAndGet())) {
      for (Tier tier : Tier.values()) {
        found.put(
            tier, List.of(worker.discover(tier.tags(false)), worker.discover(tier.tags(true))));
      }
    }
    for (Tier tier : Tier.values()) {
      run(tier, found.getOrDefault(tier, List.of()), commands, out);
    }
    return conclude(commands, out);
  }

  private void run(Tier tier, List<Map<String, Integer>> lanes, Commands commands, PrintWriter out)
      throws IOException, InterruptedException {
    long begun = System.nanoTime();
    int first = results.size();
    boolean alone = false;
    Set<String> names = new TreeSet<>();
    lanes.forEach(classes -> names.addAll(classes.keySet()));
    Optional<String> obstacle =
        names.isEmpty() ? Optional.empty() : commands.obstacle(tier, names, out);
    for (Map<String, Integer> classes : lanes) {
      if (obstacle.isPresent()) {
        classes.forEach((name, count) -> {
          for (int i = 0; i < count; i++) {
            results.add(new Result(Status.SKIPPED, name, 0, obstacle.get()));
          }
        });
      } else {
        new Lane(tier, alone, commands, new ArrayDeque<>(classes.keySet()), out)
            .run(alone ? 1 : tier.sideBySide());
      }
      alone = true;
    }
    List<Result> own = results.subList(first, results.size());
    if (!own.isEmpty()) {
      summary.add(
          line(tier.label(), "%.1f".formatted((System.nanoTime() - begun) / 1e9), counts(own)));
    }
  }

  /** Classes of one tier that wait for a worker. */
  private final class Lane {
    private final Tier tier;
    private final String tags;
    private final Commands commands;
    private final Queue<String> waiting;
    private final Set<String> repeated = new HashSet<>();
    private final PrintWriter out;

    Lane(Tier tier, boolean alone, Commands commands, Queue<String> waiting, PrintWriter out) {
      this.tier = tier;
      this.tags = tier.tags(alone);
      this.commands = commands;
      this.waiting = waiting;
      this.out = out;
    }

    void run(int sideBySide) throws InterruptedException {
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < Math.min(sideBySide, waiting.size()); i++) {
        Thread thread = new Thread(this::work, "sund-test-lane-" + i);
        thread.start();
        threads.add(thread);
      }
      for (Thread thread : threads) {
        thread.join();
      }
    }

    private synchronized String next() {
      String name = waiting.poll();
      return name == null ? "" : name;
    }

    private void work() {
      String name = next();
      while (!name.isEmpty()) {
        try (Worker worker = commands.start(tier, workers.incrementAndGet())) {
          boolean usable = true;
          while (usable && !name.isEmpty()) {
            boolean again = false;
            long begun = System.nanoTime();
            Worker.Outcome outcome =
                worker.run(tags, name, commands.report(tier, name), commands.silence());
            usable = outcome.usable();
            if (outcome.died() && commands.mayHaveBeenTheEmulator(tier) && repeated.add(name)) {
              out.printf("  again  %-7s %s: the emulated JVM has crashed%n", tier.label(), name);
              again = true;
            } else {
              record(name, (System.nanoTime() - begun) / 1_000_000, outcome.results());
            }
            name = again ? name : next();
          }
        } catch (IOException broken) {
          record(name, 0, List.of(new Result(Status.FAILED, name, 0, broken.toString())));
          name = next();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return;
        }
      }
    }

    private synchronized void record(String name, long millis, List<Result> all) {
      synchronized (results) {
        results.addAll(all);
      }
      boolean failed = all.stream().anyMatch(result -> result.status() == Status.FAILED);
      out.printf(
          "  %-6s %-7s %6.1f s  %s (%s)%n",
          failed ? "FAILED" : "ok", tier.label(), millis / 1000.0, name, counts(all));
      for (Result result : all) {
        if (result.status() == Status.FAILED) {
          out.printf("         %s: %s%n", result.test(), result.reason());
        }
      }
      out.flush();
    }
  }

  private int conclude(Commands commands, PrintWriter out) {
    List<Result> failed = with(Status.FAILED);
    List<Result> skipped = with(Status.SKIPPED);
    if (!failed.isEmpty()) {
      out.printf("%nFailed:%n");
      for (Result result : failed) {
        out.printf("  %s%n      %s%n", result.test(), result.reason());
      }
      out.printf("  reports: %s%n", commands.checkout().reports());
    }
    if (!skipped.isEmpty()) {
      out.printf("%nSkipped:%n");
      skipped.stream()
          .map(result -> "  " + result.test() + ": " + result.reason())
          .distinct()
          .forEach(out::println);
    }
    out.println();
    summary.forEach(out::println);
    if (results.isEmpty()) {
      out.printf("no test has %s in its name%n", String.join(" or ", commands.request().names()));
    }
    out.println(counts(results));
    out.flush();
    if (results.isEmpty()) {
      return ExitCode.BAD_INPUT;
    }
    return failed.isEmpty() ? ExitCode.OK : ExitCode.DIFFERS;
  }

  private List<Result> with(Status status) {
    return results.stream()
        .filter(result -> result.status() == status)
        .sorted(Comparator.comparing(Result::test))
        .toList();
  }

  private static String counts(List<Result> results) {
    long passed = results.stream().filter(result -> result.status() == Status.PASSED).count();
    long failed = results.stream().filter(result -> result.status() == Status.FAILED).count();
    long skipped = results.size() - passed - failed;
    return passed
        + " passed, "
        + failed
        + " failed"
        + (skipped == 0 ? "" : ", " + skipped + " skipped");
  }

  private static String line(String what, String seconds, String counts) {
    return "%-18s %7s s   %s".formatted(what, seconds, counts).stripTrailing();
  }

  private static boolean isRoot() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .anyMatch(line -> line.matches("Uid:\\s+\\d+\\s+0\\s.*"));
  }

  private static void empty(Path folder) throws IOException {
    if (Files.isDirectory(folder)) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
    Files.createDirectories(folder);
  }

  /**
   * How worker processes are started in this run.
   *
   * @param root whether tests of the kernel can run
   */
  private record Commands(Checkout checkout, Request request, long seed, boolean root) {
    private Guest guest() {
      return new Guest(
          checkout.root().resolve(".sund/guest"), checkout.reports().resolve(Tier.GUEST.label()));
    }

    /** Makes ready what a tier needs; why it cannot run, or nothing when it can. */
    Optional<String> obstacle(Tier tier, Set<String> classes, PrintWriter out)
        throws IOException, InterruptedException {
      if (tier.needsRoot() && !root) {
        return Optional.of("needs root: run it by sudo");
      }
      if (classes.stream().anyMatch(name -> name.endsWith("KubectlTest"))) {
        // Other vendors' packages put another kubectl in the same place: unpacked, not installed.
        new Packages(checkout.reports().resolve("apt.log"), out)
            .unpack(
                List.of("kubernetes-client"),
                checkout.root().resolve(".sund/kubectl"),
                "kubectl: the tests speak to the lab's API server with a program that is not ours")
            .ifPresent(out::println);
      }
      if (classes.stream().anyMatch(name -> name.endsWith("ReloadTest"))) {
        // Installed, it would guard this machine from its next start on: unpacked as well.
        new Packages(checkout.reports().resolve("apt.log"), out)
            .unpack(
                FIREWALLD,
                checkout.root().resolve(".sund/firewalld"),
                "firewalld: a service that loads a node's rules anew")
            .ifPresent(out::println);
      }
      if (classes.stream().anyMatch(name -> name.startsWith("dev.sund.it.cni."))
          && tier == Tier.INTEROP) {
        new Packages(checkout.reports().resolve("apt.log"), out)
            .need("podman", "podman", "a container runtime that calls the CNI plugin")
            .need("conmon", "conmon", "podman needs it")
            .need("containerd", "containerd", "a container runtime that calls the CNI plugin")
            .need("runc", "runc", "both run containers by it")
            .need("bridge", "containernetworking-plugins", "both bring lo up by its loopback")
            .need("busybox", "busybox-static", "what runs in the containers")
            .install()
            .ifPresent(out::println);
      }
      if (classes.stream().anyMatch(name -> name.endsWith("ChromiumTest"))) {
        new Packages(checkout.reports().resolve("apt.log"), out)
            .need("chromium", "chromium", "a browser that opens the page of an audit")
            .install()
            .ifPresent(out::println);
      }
      if (classes.stream().anyMatch(name -> name.endsWith("CaptureFileTest"))) {
        new Packages(checkout.reports().resolve("apt.log"), out)
            .need("tshark", "tshark", "reads captures with a program that is not ours")
            .install()
            .ifPresent(out::println);
      }
      if (classes.stream().anyMatch(name -> name.endsWith("KernelConstantsTest"))
          || request.thorough()
              && classes.stream().anyMatch(name -> name.endsWith("Arm64PackTest"))) {
        new Packages(checkout.reports().resolve("apt.log"), out)
            .need("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu", "compiles for arm64")
            .need("../aarch64-linux-gnu/include/stdio.h", "libc6-dev-arm64-cross", "its library")
            .need("qemu-aarch64-static", "qemu-user-static", "runs programs for arm64")
            .install()
            .ifPresent(out::println);
      }
      if (request.thorough() && classes.stream().anyMatch(name -> name.endsWith("Arm64PackTest"))) {
        new Packages(checkout.reports().resolve("apt.log"), out)
            .unpackOther(
                "trixie",
                "arm64",
                List.of(
                    "openjdk-25-jdk-headless",
                    "openjdk-25-jre-headless",
                    "libc6",
                    "libgcc-s1",
                    "libstdc++6",
                    "zlib1g"),
                checkout.root().resolve(".sund/arm64"),
                "what packages for arm64 are made of and run with")
            .ifPresent(out::println);
      }
      if (classes.stream().anyMatch(name -> name.endsWith("DoctorNodeTest"))) {
        new Packages(checkout.reports().resolve("apt.log"), out)
            .need(
                "../lib/systemd/systemd-networkd", "systemd", "removes routes that are not its own")
            .install()
            .ifPresent(out::println);
      }
      if (classes.stream().anyMatch(name -> name.endsWith("PackTest"))) {
        new Packages(checkout.reports().resolve("apt.log"), out)
            .need("containerd", "containerd", "to run the agent from its image")
            .need("runc", "runc", "containerd runs containers by it")
            .install()
            .ifPresent(out::println);
      }
      return tier == Tier.GUEST ? guest().prepare(out) : Optional.empty();
    }

    /** Under emulation a JVM aborts once in a hundred starts; such a class gets a second try. */
    boolean mayHaveBeenTheEmulator(Tier tier) throws IOException {
      return tier == Tier.GUEST && guest().exitCode().filter(code -> code == 134).isPresent();
    }

    Worker start(Tier tier, int number) throws IOException {
      List<String> command = new ArrayList<>();
      if (root) {
        command.addAll(Isolation.PREFIX);
      }
      command.addAll(tier == Tier.GUEST ? guest().command(java(tier)) : java(tier));
      return new Worker(
          command,
          Map.of("SUND_BUILD", "never"),
          checkout.reports().resolve("worker-%d-%s.txt".formatted(number, tier.label())));
    }

    private List<String> java(Tier tier) throws IOException {
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(
          List.of(
              tier == Tier.GUEST ? "-Xmx600m" : "-Xmx1g",
              "-XX:TieredStopAtLevel=" + (tier == Tier.GUEST ? 1 : 4),
              "-XX:+UseSerialGC",
              "-XX:-UsePerfData",
              "--enable-native-access=ALL-UNNAMED",
              "-Dsund.root=" + checkout.root(),
              "-Dsund.launcher=" + checkout.root().resolve("sund"),
              "-Dsund.seed=" + seed,
              "-Dsund.long=" + request.thorough(),
              "-Dsund.test.isolated=" + root,
              "-Dsund.test.guest=" + (tier == Tier.GUEST),
              "-cp",
              checkout.classPath(),
              WorkerMain.class.getName(),
              String.join(":", checkout.testRoots().stream().map(Path::toString).toList())));
      command.addAll(request.names());
      return command;
    }

    Path report(Tier tier, String className) {
      return checkout.reports().resolve(tier.label()).resolve(className + ".txt");
    }

    Duration silence() {
      return Duration.ofMinutes(request.thorough() ? 40 : 6);
    }
  }
}
