package dev.sund.bench.doctor;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code sund doctor} on a node with 500 pods and 10,000 elements in a firewall's set, by turns
 * with the commands by which an operator would read the same.
 */
public final class DoctorBenchmark implements Benchmark {
  /** Ticks of {@code /proc/PID/stat} a second, on every architecture (USER_HZ). */
  private static final double TICKS = 100;

  /** In {@code /proc/self/stat}, behind the name: cutime, after which cstime comes. */
  private static final int CHILDREN_TIME = 13;

  private static final Pattern UNREAD = Pattern.compile("(\\d+) could not read");
  private static final Pattern PEAK = Pattern.compile("VmHWM:\\s+(\\d+) kB");

  /** What tells the same as the facts and files that the doctor reads; none of it judges. */
  private static final String COMMANDS =
      """
      ip -d -s link; ip -d address; ip route show table all; ip -6 route show table all; ip rule
      ip -6 rule; ip neigh; bridge -d link; tc -s qdisc; nft list ruleset; iptables-save
      ip6tables-save; conntrack -S; conntrack -L; sysctl -a; ss -s; nstat -az; cat /proc/net/dev
      cat /proc/net/softnet_stat /proc/stat /proc/pressure/*; lsmod
      for pod in $(ip netns list | cut -d' ' -f1); do
        ip -n "$pod" -d link; ip -n "$pod" address; ip -n "$pod" route; ip -n "$pod" -6 route
      done
      """;

  /** One run: seconds on the clock, of processors, and the most memory in MB. */
  private record Taken(double wall, double processor, double memory) {}

  @Override
  public String name() {
    return "doctor";
  }

  @Override
  public String what() {
    return "sund doctor on a node with 500 pods and 10,000 nftables elements: time and memory";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    int rounds = bench.thorough() ? 31 : 7;
    List<Taken> ours = new ArrayList<>();
    List<Taken> theirs = new ArrayList<>();
    bench.say("making a node with " + LargeNode.PODS + " pods");
    try (LargeNode node = LargeNode.make()) {
      String doctor = "exec " + bench.launcher() + " doctor";
      for (int i = 0; i <= rounds; i++) {
        bench.say(i == 0 ? "once before what counts" : "round " + i + " of " + rounds);
        Taken first = i % 2 == 0 ? look(node, doctor) : taken(node, COMMANDS);
        Taken second = i % 2 == 0 ? taken(node, COMMANDS) : look(node, doctor);
        if (i > 0) {
          ours.add(i % 2 == 0 ? first : second);
          theirs.add(i % 2 == 0 ? second : first);
        }
      }
    }
    return List.of(
        row(
            "doctor, wall time",
            "s",
            ours,
            theirs,
            Taken::wall,
            Optional.of(Target.atMost(3)),
            rounds + " rounds by turns, its window of 1 s and the launcher's shell included"),
        row(
            "doctor, processor time",
            "s",
            ours,
            theirs,
            Taken::processor,
            Optional.of(Target.atMost(2)),
            "of all its processes, user and system"),
        row(
            "doctor, peak memory",
            "MB",
            ours,
            theirs,
            Taken::memory,
            Optional.empty(),
            "of the shell and what it becomes; the baseline's is the shell's alone"));
  }

  private static Row row(
      String name,
      String unit,
      List<Taken> ours,
      List<Taken> theirs,
      ToDoubleFunction<Taken> figure,
      Optional<Target> target,
      String note) {
    double[] ratios = new double[ours.size()];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = figure.applyAsDouble(ours.get(i)) / figure.applyAsDouble(theirs.get(i));
    }
    return new Row(
        name,
        unit,
        Estimate.ofMedian(ours.stream().mapToDouble(figure).toArray()),
        Optional.of(Estimate.ofMedian(theirs.stream().mapToDouble(figure).toArray())),
        Optional.of(Estimate.ofMedian(ratios)),
        target,
        note + "; beside ip, nft, conntrack, sysctl, ss ..., which judge nothing");
  }

  /** A look that could read everything. */
  private static Taken look(LargeNode node, String doctor) throws Exception {
    Taken taken = taken(node, doctor);
    String said = Files.readString(node.file("said"));
    Matcher unread = UNREAD.matcher(said);
    if (!unread.find() || !unread.group(1).equals("0")) {
      throw new IOException("the doctor did not read all: " + said);
    }
    return taken;
  }

  private static Taken taken(LargeNode node, String words) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(node.inside(words))
            .redirectOutput(node.file("said").toFile())
            .redirectError(node.file("errors").toFile());
    builder.environment().put("SUND_BUILD", "never");
    double before = processor();
    long begin = System.nanoTime();
    Process process = builder.start();
    double memory = 1;
    try {
      while (!process.waitFor(10, TimeUnit.MILLISECONDS)) {
        memory = Math.max(memory, peak(process.pid()));
        if (System.nanoTime() - begin > TimeUnit.SECONDS.toNanos(60)) {
          throw new IOException("no end after a minute: " + words);
        }
      }
      double wall = (System.nanoTime() - begin) / 1e9;
      return new Taken(wall, processor() - before, memory);
    } finally {
      process.destroyForcibly();
    }
  }

  /** Processor time of all processes that this one started and waited for, and of theirs. */
  private static double processor() throws IOException {
    String stat = Files.readString(Path.of("/proc/self/stat"), StandardCharsets.UTF_8);
    String[] words = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    return (Long.parseLong(words[CHILDREN_TIME]) + Long.parseLong(words[CHILDREN_TIME + 1]))
        / TICKS;
  }

  /** The most memory that a process has had until now, in MB; 0 when it is gone. */
  private static double peak(long process) {
    try {
      Matcher peak = PEAK.matcher(Files.readString(Path.of("/proc/" + process + "/status")));
      return peak.find() ? Long.parseLong(peak.group(1)) / 1_024.0 : 0;
    } catch (IOException _) {
      return 0; // it ended in this moment
    }
  }
}
