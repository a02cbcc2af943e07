package dev.sund.lab.question;

import dev.sund.engine.cluster.Pod;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.model.Port;
import dev.sund.model.Protocol;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Who answers where in a lab: every pod at the ports that its containers declare or are probed at,
 * by TCP and by UDP; a node at those of its hostNetwork pods; everybody at the echo port.
 *
 * @param ports by whoever listens, the ports besides echo
 * @param echo the port at which everybody answers
 */
public record Listeners(Map<Origin, SortedSet<Integer>> ports, int echo) {
  /** Those of these pods. */
  public static Listeners of(Collection<Pod> pods, int echo) {
    Map<Origin, SortedSet<Integer>> ports = new HashMap<>();
    for (Pod pod : pods) {
      SortedSet<Integer> own = ports.computeIfAbsent(origin(pod), _ -> new TreeSet<>());
      for (Port port : pod.ports()) {
        if (port.protocol() == Protocol.TCP || port.protocol() == Protocol.UDP) {
          own.add(port.number());
        }
      }
    }
    return new Listeners(Map.copyOf(ports), echo);
  }

  /** Where the packets of a pod that runs are born. */
  public static Origin origin(Pod pod) {
    return pod.hostNetwork() ? new FromNode(pod.node().orElseThrow()) : new FromPod(pod.key());
  }

  /** The ports besides echo at which this one answers. */
  public Set<Integer> of(Origin origin) {
    return ports.getOrDefault(origin, new TreeSet<>());
  }

  /** Whether this one answers at {@code port}. */
  public boolean answers(Origin origin, int port) {
    return port == echo || of(origin).contains(port);
  }
}
