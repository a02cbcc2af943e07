package dev.sund.it.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Two pods on one link, of no network plugin that is ours, and {@code sund} started beside them.
 */
final class PodBed implements AutoCloseable {
  private static final Path ROOT = Path.of(System.getProperty("sund.root"));

  static final Ip WEB = Ip.parse("10.9.0.1");
  static final Ip DB = Ip.parse("10.9.0.2");
  static final Ip WEB6 = Ip.parse("fd00:9::1");
  static final Ip DB6 = Ip.parse("fd00:9::2");

  private final TestNetns net = TestNetns.open();
  final NetNs web = net.create("web");
  final NetNs db = net.create("db");
  private final Path folder;
  private final List<Process> started = new ArrayList<>();
  private final MessageBuffer buffer = new MessageBuffer(2_048);

  /** What a command printed and how it ended. */
  record Ended(int exitCode, String out, String err) {}

  /** A command that runs. */
  record Running(Process process, Path out, Path err) {}

  /** Pods, one of them in Sund's records. */
  PodBed(Path folder) throws IOException {
    this.folder = folder;
    TestNetns.link(web, "eth0", WEB + "/24", WEB6 + "/64", db, "eth0");
    TestNetns.run(db, "ip", "addr", "add", DB + "/24", "dev", "eth0");
    TestNetns.run(db, "ip", "-6", "addr", "add", DB6 + "/64", "dev", "eth0", "nodad");
    Path records = Files.createDirectories(folder.resolve("state/attachments"));
    Files.writeString(
        records.resolve("c1@eth0.json"),
        """
        {"containerId":"c1","interface":"eth0","netns":"%s","pod":"shop/web-0","uid":"u",
         "addresses":["%s","%s"],"boot":"b"}
        """
            .formatted(web.path(), WEB, WEB6));
  }

  /** Starts {@code sund} with these arguments and the records' folder. */
  Running start(String... arguments) throws IOException {
    // Whoever runs the tests in the background has them ignore INT, and what they start, too.
    List<String> command =
        new ArrayList<>(List.of("env", "--default-signal=INT", ROOT.resolve("sund").toString()));
    command.add(arguments[0]);
    command.addAll(List.of("--state-dir", folder.resolve("state").toString()));
    command.addAll(List.of(arguments).subList(1, arguments.length));
    Path out = Files.createTempFile(folder, "out", ".txt");
    Path err = Files.createTempFile(folder, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("SUND_BUILD", "never");
    Process process = builder.start();
    started.add(process);
    return new Running(process, out, err);
  }

  /** A line for a shell that starts {@code sund} with these words. */
  static String command(String... arguments) {
    return "SUND_BUILD=never " + ROOT.resolve("sund") + " " + String.join(" ", arguments);
  }

  /** Runs {@code sund} to its end. */
  Ended run(String... arguments) throws Exception {
    return ended(start(arguments));
  }

  static Ended ended(Running running) throws Exception {
    assertThat(running.process().waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Ended(
        running.process().exitValue(),
        Files.readString(running.out()),
        Files.readString(running.err()));
  }

  /** Starts a capture and waits until it has begun. */
  Running capture(String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of("capture"));
    all.addAll(List.of(arguments));
    Running running = start(all.toArray(String[]::new));
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!Files.readString(running.err()).contains("capturing")) {
      assertThat(running.process().isAlive() && System.nanoTime() < end)
          .as("the capture begins: " + Files.readString(running.err()))
          .isTrue();
      Thread.sleep(20);
    }
    return running;
  }

  /** Sends datagrams of 32 bytes from the first pod. */
  void send(Ip to, int port, int packets) throws Exception {
    try (NetSocket client = web.call(() -> NetSocket.udp(to.family()))) {
      for (int i = 0; i < packets; i++) {
        buffer.sendTo(client, 32, new Endpoint(to, port));
      }
    }
  }

  /** Ctrl-C. */
  static void interrupt(Running running) throws Exception {
    TestNetns.Result killed =
        TestNetns.execute(List.of("kill", "-INT", Long.toString(running.process().pid())));
    assertThat(killed.exit()).isZero();
  }

  @Override
  public void close() {
    started.forEach(Process::destroyForcibly);
    net.close();
  }
}
