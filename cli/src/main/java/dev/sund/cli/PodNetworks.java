package dev.sund.cli;

import dev.sund.doctor.pods.NoSuchPodException;
import dev.sund.doctor.pods.PodNetwork;
import dev.sund.doctor.pods.PodSearch;
import dev.sund.model.Ip;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Mixin;

/** How commands that look into a pod's network find it. */
final class PodNetworks {
  /** What a POD may be, for the help of a parameter. */
  static final String DESCRIPTION =
      "NAMESPACE/NAME of a pod on this node, the beginning of a container's id (also as"
          + " containerd://ID), a process, an address, or a namespace's file.";

  @Mixin StateDirOption state = new StateDirOption();

  /** What addresses of this node's pods are called. */
  Map<Ip, String> names() {
    return new PodSearch(Path.of("/"), state.stateDir).names();
  }

  /**
   * The network that is meant.
   *
   * @throws CommandFailure when there is none
   */
  PodNetwork find(String asked) {
    try {
      return new PodSearch(Path.of("/"), state.stateDir).find(asked);
    } catch (NoSuchPodException e) {
      throw CommandFailure.badInput(String.valueOf(e.getMessage()), e.remedy());
    }
  }
}
