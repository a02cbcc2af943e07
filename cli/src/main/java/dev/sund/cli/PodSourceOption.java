package dev.sund.cli;

import dev.sund.doctor.Host;
import dev.sund.doctor.probe.PodSource;
import dev.sund.model.Ip;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --pod-source}: whose packets are sent as a pod's. */
final class PodSourceOption {
  @Option(
      names = "--pod-source",
      paramLabel = "ADDRESS",
      description =
          "Send packets from this pod's address too (default: that of a pod that is there).")
  @Nullable String address;

  /** The address that was given, or those of pods that are on the node; none without a pod. */
  List<Ip> of(Host host) {
    return address == null
        ? PodSource.of(host)
        : List.of(ProbeOptions.literal("--pod-source", address));
  }
}
