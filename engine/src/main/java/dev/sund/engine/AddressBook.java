package dev.sund.engine;

import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.policy.WorkloadLabels;
import dev.sund.engine.policy.seen.SeenParty;
import dev.sund.engine.program.Frontend;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Who has which address, as the cluster is known to this node now. For the thread that compiles.
 *
 * <p>It keeps no index, which every agent would pay for: a question looks at all pods once, for all
 * of its addresses.
 */
public final class AddressBook {
  private final ClusterState state;
  private final FrontendTables frontends;

  AddressBook(ClusterState state, FrontendTables frontends) {
    this.state = state;
    this.frontends = frontends;
  }

  /**
   * Who has an address.
   *
   * @param here whether it is a pod of this node
   */
  public record Holder(SeenParty party, boolean here) {}

  /**
   * Who has these addresses. One that may be a pod's and that no pod is known to have is not in the
   * answer: the API may not have told of it yet. One that cannot be a pod's is a {@link
   * SeenParty.Range}.
   */
  public Map<Ip, Holder> holders(Set<Ip> asked) {
    Map<Ip, Holder> found = new HashMap<>();
    for (Pod pod : state.pods()) {
      if (!pod.hostNetwork()) {
        for (Ip ip : pod.ips()) {
          // A finished pod's address may be another's by now.
          if (asked.contains(ip) && !(pod.finished() && found.containsKey(ip))) {
            found.put(ip, holder(pod));
          }
        }
      }
    }
    for (Attachment attachment : state.attachments().all()) {
      for (Ip ip : attachment.addresses()) {
        if (asked.contains(ip)) {
          state.pod(attachment.pod()).ifPresent(pod -> found.put(ip, holder(pod)));
        }
      }
    }
    for (Ip ip : asked) {
      if (!found.containsKey(ip) && !mayBePods(ip)) {
        found.put(ip, new Holder(new SeenParty.Range(Prefix.host(ip)), false));
      }
    }
    return found;
  }

  private Holder holder(Pod pod) {
    return new Holder(
        new SeenParty.Pods(pod.key().namespace(), WorkloadLabels.of(pod.labels())),
        pod.node().equals(Optional.of(state.self())));
  }

  private boolean mayBePods(Ip ip) {
    for (Node node : state.nodes().all()) {
      for (Prefix range : node.podCidrs()) {
        if (range.contains(ip)) {
          return !range.address().equals(ip); // the first one is the node's own
        }
      }
    }
    for (IpPool pool : state.pools().all()) {
      if (pool.cidr().contains(ip)) {
        return true;
      }
    }
    return false;
  }

  /** The Service that is asked at an address, {@code NAMESPACE/NAME}; empty when none is. */
  public Optional<String> service(Ip address, Protocol protocol, int port) {
    if (port == 0 || protocol == Protocol.ICMP) {
      return Optional.empty();
    }
    return at(new Frontend.Place.At(address), protocol, port)
        .or(() -> at(new Frontend.Place.AnyLocal(address.family()), protocol, port));
  }

  private Optional<String> at(Frontend.Place place, Protocol protocol, int port) {
    return frontends
        .at(new Frontend.Key(place, protocol, port))
        .map(rows -> rows.frontend().rule().object())
        .filter(object -> object.kind().equals("Service"))
        .map(ObjectRef::name);
  }
}
