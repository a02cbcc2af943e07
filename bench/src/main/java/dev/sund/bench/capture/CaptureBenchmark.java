package dev.sund.bench.capture;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.bench.traffic.Programs;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** 100,000 packets a second from a pod into a file, by turns with tcpdump. */
public final class CaptureBenchmark implements Benchmark {
  private static final int PER_SECOND = 100_000;
  private static final int SECONDS = 4;
  private static final int BYTES = 200;
  private static final int PORT = 4_000;
  private static final String NEAR = "sund-cap-near";
  private static final String FAR = "sund-cap-far";
  private static final Pattern OURS =
      Pattern.compile("([\\d,]+) passed the filter, ([\\d,]+) dropped");
  private static final Pattern THEIRS =
      Pattern.compile("(\\d+) packets received by filter\\s+(\\d+) packets dropped by kernel");

  /** One capture: packets that its filter let pass, those dropped, processor time in seconds. */
  private record Taken(long received, long dropped, double processor, double seconds) {}

  @Override
  public String name() {
    return "capture";
  }

  @Override
  public String what() {
    return "100,000 packets a second inside a pod into a file: drops, beside tcpdump";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    Path folder = Files.createTempDirectory("sund-bench-capture");
    NetNs near = NetNs.create(NEAR);
    NetNs far = NetNs.create(FAR);
    try {
      Programs.run("ip -n %s link add eth0 type veth peer name eth0 netns %s".formatted(NEAR, FAR));
      for (String[] end : new String[][] {{NEAR, "10.9.0.1/24"}, {FAR, "10.9.0.2/24"}}) {
        Programs.run("ip -n %s addr add %s dev eth0".formatted(end[0], end[1]));
        Programs.run("ip -n %s link set eth0 up".formatted(end[0]));
      }
      Endpoint to = new Endpoint(Ip.parse("10.9.0.2"), PORT);
      // Nobody reads it: what does not fit is dropped behind the capture, and nothing is answered.
      try (NetSocket sink = far.call(() -> NetSocket.udp(to.ip().family()));
          PacedSender sender = new PacedSender(near, to, BYTES)) {
        sink.bind(to);
        return rows(bench, folder, sender);
      }
    } finally {
      near.delete();
      far.delete();
      try (var files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private List<Row> rows(Bench bench, Path folder, PacedSender sender) throws Exception {
    int rounds = bench.thorough() ? 12 : 4;
    List<Taken> ours = new ArrayList<>();
    List<Taken> theirs = new ArrayList<>();
    Path file = folder.resolve("packets");
    for (int i = 0; i < rounds; i++) {
      bench.say("round " + (i + 1) + " of " + rounds);
      ours.add(
          taken(
              List.of(
                  bench.launcher().toString(),
                  "capture",
                  FAR,
                  "-w",
                  file.toString(),
                  "udp dst port " + PORT),
              "capturing",
              OURS,
              folder.resolve("said"),
              sender));
      theirs.add(
          taken(
              List.of(
                  "nsenter",
                  "--net=" + NetNs.named(FAR).path(),
                  "--",
                  "tcpdump",
                  "-Z",
                  "root",
                  "-n",
                  "-i",
                  "eth0",
                  "-w",
                  file.toString(),
                  "udp dst port " + PORT),
              "listening on",
              THEIRS,
              folder.resolve("said"),
              sender));
    }
    String note =
        "%d rounds of %d s by turns, %d bytes each, sent in %.1f s"
            .formatted(
                rounds,
                SECONDS,
                BYTES,
                ours.stream().mapToDouble(Taken::seconds).average().orElse(0));
    double droppedByThem = theirs.stream().mapToLong(Taken::dropped).sum();
    return List.of(
        new Row(
            "capture, 100,000 packets/s, dropped in all",
            "packets",
            Estimate.single((double) ours.stream().mapToLong(Taken::dropped).sum()),
            Optional.of(Estimate.single(droppedByThem)),
            Optional.empty(),
            Optional.of(Target.atMost(droppedByThem)),
            note + "; beside tcpdump"),
        new Row(
            "capture, 100,000 packets/s, taken",
            "packets",
            Estimate.ofMedian(
                ours.stream().mapToDouble(one -> one.received() - one.dropped()).toArray()),
            Optional.of(
                Estimate.ofMedian(
                    theirs.stream().mapToDouble(one -> one.received() - one.dropped()).toArray())),
            Optional.empty(),
            Optional.empty(),
            "%,d were sent in each round".formatted(PER_SECOND * SECONDS)),
        new Row(
            "capture, 100,000 packets/s, processor time",
            "s",
            Estimate.ofMedian(ours.stream().mapToDouble(Taken::processor).toArray()),
            Optional.of(Estimate.ofMedian(theirs.stream().mapToDouble(Taken::processor).toArray())),
            Optional.empty(),
            Optional.empty(),
            "of the whole process for %d s of packets, with its start".formatted(SECONDS)));
  }

  private static Taken taken(
      List<String> command, String begun, Pattern counts, Path said, PacedSender sender)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile());
    builder.environment().put("SUND_BUILD", "never");
    Process process = builder.start();
    try {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      while (!Files.readString(said).contains(begun)) {
        if (!process.isAlive() || System.nanoTime() > end) {
          throw new IOException(command + " does not begin: " + Files.readString(said));
        }
        Thread.sleep(20);
      }
      double seconds = sender.send((long) PER_SECOND * SECONDS, PER_SECOND);
      Thread.sleep(200); // what has come is read
      double processor =
          process.info().totalCpuDuration().orElse(Duration.ZERO).toMillis() / 1_000.0;
      Programs.run("kill -INT " + process.pid());
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        throw new IOException(command + " does not end");
      }
      Matcher found = counts.matcher(Files.readString(said));
      if (!found.find()) {
        throw new IOException(command + " said no counts: " + Files.readString(said));
      }
      return new Taken(number(found.group(1)), number(found.group(2)), processor, seconds);
    } finally {
      process.destroyForcibly();
    }
  }

  private static long number(String text) {
    return Long.parseLong(text.replace(",", ""));
  }
}
