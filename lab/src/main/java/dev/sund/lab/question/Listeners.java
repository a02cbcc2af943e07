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
 * by TCP and by UDP, at those declared for SCTP by that alone; a node at those of its hostNetwork
 * pods; everybody at the echo port.
 *
 * @param ports by whoever listens, the ports besides echo
 * @param associations by whoever listens, the ports of SCTP
 * @param echo the port at which everybody answers, by TCP and by UDP
 */
public record Listeners(
    Map<Origin, SortedSet<Integer>> ports, Map<Origin, SortedSet<Integer>> associations, int echo) {
  /** Those of these pods. */
  public static Listeners of(Collection<Pod> pods, int echo) {
    Map<Origin, SortedSet<Integer>> ports = new HashMap<>();
    Map<Origin, SortedSet<Integer>> associations = new HashMap<>();
    for (Pod pod : pods) {
      for (Port port : pod.ports()) {
        (port.protocol() == Protocol.SCTP ? associations : ports)
            .computeIfAbsent(origin(pod), _ -> new TreeSet<>())
            .add(port.number());
      }
    }
    return new Listeners(Map.copyOf(ports), Map.copyOf(associations), echo);
  }

  /** Where the packets of a pod that runs are born. */
  public static Origin origin(Pod pod) {
    return pod.hostNetwork() ? new FromNode(pod.node().orElseThrow()) : new FromPod(pod.key());
  }

  /** The ports besides echo at which this one answers, each once for TCP and UDP together. */
  public SortedSet<Port> of(Origin origin) {
    SortedSet<Port> all = new TreeSet<>();
    of(ports, origin).forEach(number -> all.add(new Port(number, Protocol.TCP, "")));
    of(associations, origin).forEach(number -> all.add(new Port(number, Protocol.SCTP, "")));
    return all;
  }

  private static Set<Integer> of(Map<Origin, SortedSet<Integer>> ports, Origin origin) {
    return ports.getOrDefault(origin, new TreeSet<>());
  }

  /** Whether this one answers at {@code port}. */
  public boolean answers(Origin origin, Protocol protocol, int port) {
    return protocol == Protocol.SCTP
        ? of(associations, origin).contains(port)
        : port == echo || of(ports, origin).contains(port);
  }
}
