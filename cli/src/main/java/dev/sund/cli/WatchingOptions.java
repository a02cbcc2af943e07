package dev.sund.cli;

import dev.sund.agent.Watching;
import dev.sund.agent.checks.CheckOptions;
import dev.sund.agent.peers.PeerLimits;
import dev.sund.agent.peers.PeerOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Option;

/** What an agent looks at beside its own work: the doctor's checks, the ways to other nodes. */
final class WatchingOptions {
  @Option(
      names = "--doctor-period",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description = "How often the doctor's checks run; 0: never (default: ${DEFAULT-VALUE}).")
  long doctorPeriod = CheckOptions.DEFAULT_PERIOD.toSeconds();

  @Option(
      names = "--host-root",
      paramLabel = "DIR",
      defaultValue = "/",
      description = {
        "Where the node's file systems are, for the doctor's checks: mounted there in a container"
            + " (default: ${DEFAULT-VALUE})."
      })
  Path hostRoot = Path.of("/");

  @Option(
      names = "--peer-port",
      paramLabel = "PORT",
      defaultValue = "9471",
      description = {
        "The UDP port of the node's addresses at which agents answer each other's measurements; the"
            + " same on all nodes; 0: measure nobody and open no port (default: ${DEFAULT-VALUE})."
      })
  int peerPort = PeerOptions.DEFAULT_PORT;

  @Option(
      names = "--peers",
      paramLabel = "NUMBER",
      defaultValue = "8",
      description = "How many other nodes are measured at most (default: ${DEFAULT-VALUE}).")
  int peers = PeerOptions.DEFAULT_MOST;

  @Option(
      names = "--peer-interval",
      hidden = true,
      paramLabel = "MILLIS",
      defaultValue = "1000",
      description = "From one datagram to a peer to the next; a window has 60 of them.")
  long peerInterval = PeerOptions.DEFAULT_INTERVAL.toMillis();

  @Option(
      names = "--peer-loss",
      paramLabel = "PERCENT",
      defaultValue = "5",
      description = "More loss than this is said in sund status (default: ${DEFAULT-VALUE}).")
  double loss = PeerLimits.DEFAULT.lossPercent();

  @Option(
      names = "--peer-rtt",
      paramLabel = "MILLIS",
      defaultValue = "20",
      description = {
        "A median round trip above this is said in sund status (default: ${DEFAULT-VALUE}). Within"
            + " one site 2 or 3 are usual; from 5 on etcd's members feel it."
      })
  double roundTrip = PeerLimits.DEFAULT.roundTripMillis();

  @Option(
      names = "--peer-jitter",
      paramLabel = "MILLIS",
      defaultValue = "20",
      description = "More jitter than this is said in sund status (default: ${DEFAULT-VALUE}).")
  double jitter = PeerLimits.DEFAULT.jitterMillis();

  /** What they say. */
  Watching watching() {
    if (!Files.isDirectory(hostRoot)) {
      throw CommandFailure.badInput(
          "--host-root " + hostRoot + " is no folder.",
          "Mount the node's root there, or leave it out.");
    }
    try {
      return new Watching(
          new CheckOptions(Duration.ofSeconds(doctorPeriod), hostRoot.toAbsolutePath().normalize()),
          new PeerOptions(
              peerPort,
              peers,
              Duration.ofMillis(peerInterval),
              new PeerLimits(loss, roundTrip, jitter)));
    } catch (IllegalArgumentException e) {
      throw CommandFailure.badInput(e.getMessage() + ".", "Look at sund agent --help.");
    }
  }
}
