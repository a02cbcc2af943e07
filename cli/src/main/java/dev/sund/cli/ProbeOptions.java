package dev.sund.cli;

import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.live.LiveFacts;
import dev.sund.doctor.probe.Answerer;
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
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
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

  @Mixin PodSourceOption podSource = new PodSourceOption();

  @Mixin ProbeLimits limits = new ProbeLimits();

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
    refuseUnlessPort("--probe-port", port);
    if (window < 1 || window > 600) {
      throw CommandFailure.badInput(
          "--probe-window " + window + " is not between 1 and 600.", "Give seconds.");
    }
    NetNs node = LiveFacts.networkOf(root);
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
    ProbeSettings settings =
        new ProbeSettings(
            new Endpoint(address, port),
            Duration.ofSeconds(window),
            limits.limits(),
            podSource.of(host));
    return facts.with(Facts.PROBE, new ProbeFacts(node, settings, new SecureRandom()));
  }

  /** A number that is no port is bad input. */
  static void refuseUnlessPort(String option, int port) {
    if (port < 1 || port > 65_535) {
      throw CommandFailure.badInput(option + " " + port + " is no port.", "Give 1 to 65535.");
    }
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
