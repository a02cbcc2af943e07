package dev.sund.cli;

import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.probe.Answerer;
import dev.sund.doctor.probe.Limits;
import dev.sund.doctor.probe.PodSource;
import dev.sund.doctor.probe.ProbeFacts;
import dev.sund.doctor.probe.ProbeSettings;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.model.Ip;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of {@code sund doctor --probe}: which peer, for how long, and what is too slow. */
final class ProbeOptions {
  @Option(
      names = "--probe",
      paramLabel = "PEER",
      description =
          "Also measure the way to this node and back (address or name); sund answer must run"
              + " there.")
  @Nullable String peer;

  @Option(
      names = "--probe-port",
      paramLabel = "PORT",
      defaultValue = "" + Answerer.PORT,
      description = "The peer's UDP port (default: ${DEFAULT-VALUE}).")
  int port = Answerer.PORT;

  @Option(
      names = "--probe-window",
      paramLabel = "SECONDS",
      defaultValue = "3",
      description = "How long loss and jitter are measured (default: ${DEFAULT-VALUE}; 1 to 600).")
  int window = 3;

  @Option(
      names = "--pod-source",
      paramLabel = "ADDRESS",
      description =
          "Send packets from this pod's address too (default: that of a pod that is there).")
  @Nullable String podSource;

  @Option(
      names = "--rtt-note",
      paramLabel = "MS",
      defaultValue = "2",
      description = "A median round trip from here on is a note (default: ${DEFAULT-VALUE}).")
  double rttNote = 2;

  @Option(
      names = "--rtt-warning",
      paramLabel = "MS",
      defaultValue = "5",
      description = "From here on a warning (default: ${DEFAULT-VALUE}).")
  double rttWarning = 5;

  @Option(
      names = "--rtt-error",
      paramLabel = "MS",
      defaultValue = "20",
      description = "From here on an error (default: ${DEFAULT-VALUE}).")
  double rttError = 20;

  @Option(
      names = "--jitter-warning",
      paramLabel = "MS",
      defaultValue = "3",
      description = "Mean jitter of a direction from here on is a warning (${DEFAULT-VALUE}).")
  double jitter = 3;

  @Option(
      names = "--loss-warning",
      paramLabel = "PERCENT",
      defaultValue = "1",
      description = "Loss of a direction from here on is a warning (default: ${DEFAULT-VALUE}).")
  double lossWarning = 1;

  @Option(
      names = "--loss-error",
      paramLabel = "PERCENT",
      defaultValue = "5",
      description = "From here on an error (default: ${DEFAULT-VALUE}).")
  double lossError = 5;

  /** Whether a peer is to be probed. */
  boolean asked() {
    return peer != null;
  }

  /**
   * Facts with those of the probe.
   *
   * @param root the node's files
   */
  Facts on(Facts facts, Path root) {
    String name = peer;
    if (name == null) {
      return facts;
    }
    Ip address = address("--probe", name);
    if (address.isLinkLocal()) {
      throw CommandFailure.badInput(
          "--probe " + name + " is an address of one link alone.",
          "Give the address by which the nodes reach each other.");
    }
    if (port < 1 || port > 65_535) {
      throw CommandFailure.badInput(
          "--probe-port " + port + " is no port.", "Give 1 to 65535, as sund answer has it.");
    }
    if (window < 1 || window > 600) {
      throw CommandFailure.badInput(
          "--probe-window " + window + " is not between 1 and 600.", "Give seconds.");
    }
    NetNs node =
        root.equals(Path.of("/")) ? NetNs.ofProcess() : NetNs.at(root.resolve("proc/1/ns/net"));
    if (!node.exists()) {
      throw CommandFailure.badInput(
          "--probe measures from a running node, and --root "
              + root
              + " has no "
              + node.path()
              + ".",
          "Leave --probe out: a recorded tree has its own probe, if there was one.");
    }
    Host host = new Host(root, Duration.ZERO, Thread::sleep, facts);
    List<Ip> pods =
        podSource == null ? PodSource.of(host) : List.of(literal("--pod-source", podSource));
    ProbeSettings settings =
        new ProbeSettings(new Endpoint(address, port), Duration.ofSeconds(window), limits(), pods);
    return facts.with(Facts.PROBE, new ProbeFacts(node, settings, new SecureRandom()));
  }

  private Limits limits() {
    return new Limits(
        micros("--rtt-note", rttNote),
        micros("--rtt-warning", rttWarning),
        micros("--rtt-error", rttError),
        micros("--jitter-warning", jitter),
        thousandths("--loss-warning", lossWarning),
        thousandths("--loss-error", lossError));
  }

  private static long micros(String option, double millis) {
    if (!(millis >= 0 && millis <= 60_000)) {
      throw CommandFailure.badInput(
          option + " " + millis + " is not between 0 and 60000.", "Give milliseconds.");
    }
    return Math.round(millis * 1_000);
  }

  private static long thousandths(String option, double percent) {
    if (!(percent >= 0 && percent <= 100)) {
      throw CommandFailure.badInput(
          option + " " + percent + " is not between 0 and 100.", "Give percent.");
    }
    return Math.round(percent * 10);
  }

  /** An address that is written as one. */
  static Ip literal(String option, String text) {
    return Ip.tryParse(text)
        .orElseThrow(() ->
            CommandFailure.badInput(
                option + " " + text + " is no address.", "Give one such as 10.244.1.5."));
  }

  private static Ip address(String option, String text) {
    Optional<Ip> literal = Ip.tryParse(text);
    if (literal.isPresent()) {
      return literal.get();
    }
    try {
      return Ip.of(InetAddress.getByName(text).getAddress());
    } catch (UnknownHostException _) {
      throw CommandFailure.badInput(
          option + " " + text + ": there is no such host.", "Give the peer's address.");
    }
  }
}
