package dev.sund.agent.apply;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.PodPolicy;
import dev.sund.engine.program.PolicyTables;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.kernel.conntrack.ConntrackEntry;
import dev.sund.kernel.conntrack.TcpState;
import dev.sund.kernel.conntrack.Tuple;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId.Direction;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Which of the kernel's connections policies in force would not let begin (N19): those from or to
 * this node's pods, judged by the tables that judge a connection's first packet, in both
 * directions.
 *
 * <p>Asked where packets are asked: behind the translation of destinations, so that a Service's
 * connection is judged by the endpoint that answers it and by its port (N21), and before that of
 * sources. Never those that the node itself began (N15), nor those of a pod to itself (N16, N17),
 * nor those that came of another (a helper expected them), nor what a pod is closed for that nobody
 * knows: no policy says that.
 *
 * @param tables the policies in force
 * @param devices by address, the device of the pod of this node that has it
 */
record ForbiddenConnections(PolicyTables tables, Map<Ip, String> devices) {
  ForbiddenConnections {
    devices = Map.copyOf(devices);
  }

  /** By the policies in force, and this node's pods. */
  static ForbiddenConnections of(PolicyTables tables, Collection<LocalPod> pods) {
    Map<Ip, String> devices = new HashMap<>();
    for (LocalPod pod : pods) {
      for (Ip address : pod.addresses()) {
        devices.put(address, pod.device());
      }
    }
    return new ForbiddenConnections(tables, devices);
  }

  /** Whether nothing can be forbidden. */
  boolean isEmpty() {
    return tables.pods().isEmpty();
  }

  /**
   * Whether a connection is one of them.
   *
   * @param isLocal whether the node carries an address
   */
  boolean contains(ConntrackEntry entry, Predicate<Ip> isLocal) {
    Tuple answers = entry.reply();
    Ip client = entry.original().source();
    Ip server = answers.source();
    boolean sends = concerns(client, Direction.EGRESS);
    boolean isAsked = concerns(server, Direction.INGRESS);
    if ((!sends && !isAsked)
        || hasEnded(entry)
        || entry.isExpected()
        || isItself(client, server)
        || isLocal.test(client)) {
      return false;
    }
    Protocol protocol = protocol(answers.protocol());
    int port = protocol == Protocol.ICMP ? 0 : answers.sourcePort();
    return (sends && forbids(client, Direction.EGRESS, server, protocol, port))
        || (isAsked && forbids(server, Direction.INGRESS, client, protocol, port));
  }

  private boolean concerns(Ip pod, Direction direction) {
    return tables.pods().containsKey(new PodPolicy.Key(pod, direction));
  }

  private boolean forbids(Ip pod, Direction direction, Ip peer, Protocol protocol, int port) {
    @Nullable PolicyVerdict verdict =
        tables.judge(pod, direction, peer, protocol, port).verdict().orElse(null);
    if (verdict == null || verdict.allowed()) {
      return false;
    }
    String kind = verdict.rule().object().kind();
    return kind.equals(Policy.NETWORK_POLICY) || kind.equals(Policy.CLUSTER_NETWORK_POLICY);
  }

  private boolean isItself(Ip client, Ip server) {
    @Nullable String device = devices.get(client);
    return client.equals(server) || (device != null && device.equals(devices.get(server)));
  }

  /** Whether it is over, and only remembered. */
  private static boolean hasEnded(ConntrackEntry entry) {
    @Nullable TcpState state = entry.tcp().orElse(null);
    return entry.isDying() || state == TcpState.TIME_WAIT || state == TcpState.CLOSE;
  }

  /** What has no ports that policies know is judged as ICMP is. */
  private static Protocol protocol(int number) {
    for (Protocol one : Protocol.values()) {
      if (one.number() == number) {
        return one;
      }
    }
    return Protocol.ICMP;
  }
}
