package dev.sund.engine;

import dev.sund.engine.Claimant.Kind;
import dev.sund.engine.Claimant.Rank;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.MappedContainer;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which ports of this node the pods on it want, and who gets each: the older pod, as with
 * addresses.
 */
final class HostPorts {
  private final Map<Frontend.Key, NavigableSet<Wish>> wishes = new HashMap<>();
  private final Map<String, List<Wish>> ofDevice = new HashMap<>();

  /**
   * That packets to a place of this node go to a pod.
   *
   * @param key the place
   * @param claimant who wishes it; its name is the pod's device, or the container's
   * @param address the pod's address
   * @param port the pod's port
   */
  record Wish(Frontend.Key key, Claimant claimant, Ip address, int port)
      implements Comparable<Wish> {
    private static final Comparator<Wish> ORDER =
        Comparator.comparing(Wish::claimant)
            .thenComparing(Wish::address)
            .thenComparingInt(Wish::port);

    /** The device of the pod, or the container's name. */
    String device() {
      return claimant.name();
    }

    @Override
    public int compareTo(Wish other) {
      return ORDER.compare(this, other);
    }
  }

  /** What an attachment's ports come to, one wish for each address that can be asked at. */
  static List<Wish> wishes(
      Claimant claimant, Attachment attachment, Iterable<PortMapping> mappings) {
    List<Wish> found = new ArrayList<>();
    for (PortMapping mapping : mappings) {
      for (Ip address : attachment.addresses()) {
        place(mapping.hostIp(), address.family())
            .map(place -> new Frontend.Key(place, mapping.protocol(), mapping.hostPort()))
            .ifPresent(key -> found.add(new Wish(key, claimant, address, mapping.containerPort())));
      }
    }
    return found;
  }

  /** What a container's ports come to, in another plugin's network. */
  static List<Wish> wishes(MappedContainer container) {
    // As with the reference plugin, the last who asks has the port; pods of the API go before.
    Claimant claimant =
        new Claimant(
            Rank.POD,
            Long.MAX_VALUE - container.since(),
            container.key(),
            Kind.CONTAINER,
            container.key());
    List<Wish> found = new ArrayList<>();
    for (PortMapping mapping : container.mappings()) {
      for (MappedContainer.Place at : container.places()) {
        Ip address = at.address().ip();
        place(mapping.hostIp(), address.family())
            .map(place -> new Frontend.Key(place, mapping.protocol(), mapping.hostPort()))
            .ifPresent(key -> found.add(new Wish(key, claimant, address, mapping.containerPort())));
      }
    }
    return found;
  }

  /** An address of one family says nothing about packets of the other. */
  private static Optional<Place> place(Optional<Ip> hostIp, Family family) {
    if (hostIp.isEmpty()) {
      return Optional.of(new Place.AnyLocal(family));
    }
    return hostIp
        .filter(ip -> ip.family() == family)
        .map(ip -> ip.isUnspecified() ? new Place.AnyLocal(family) : new Place.At(ip));
  }

  /** From now on the pod behind {@code device} wishes these; notes whose row may differ by that. */
  void replace(String device, List<Wish> now, Touched touched) {
    List<Wish> before =
        now.isEmpty() ? ofDevice.remove(device) : ofDevice.put(device, List.copyOf(now));
    if (now.equals(before == null ? List.of() : before)) {
      return;
    }
    if (before != null) {
      for (Wish wish : before) {
        touched.frontends.add(wish.key());
        NavigableSet<Wish> others = wishes.get(wish.key());
        if (others != null && others.remove(wish) && others.isEmpty()) {
          wishes.remove(wish.key());
        }
      }
    }
    for (Wish wish : now) {
      touched.frontends.add(wish.key());
      wishes.computeIfAbsent(wish.key(), _ -> new TreeSet<>()).add(wish);
    }
  }

  /** Whose wish is granted. */
  Optional<Wish> holder(Frontend.Key key) {
    return Optional.ofNullable(wishes.get(key)).map(NavigableSet::first);
  }

  /** What the pod behind a device wishes, or the container of this name. */
  List<Wish> ofDevice(String device) {
    return ofDevice.getOrDefault(device, List.of());
  }

  /** The devices of all who wish a place. */
  Set<String> devices(Frontend.Key key) {
    NavigableSet<Wish> who = wishes.get(key);
    if (who == null) {
      return Set.of();
    }
    Set<String> devices = new HashSet<>();
    who.forEach(wish -> devices.add(wish.device()));
    return devices;
  }

  /** All places that anybody wishes. */
  Set<Frontend.Key> keys() {
    return wishes.keySet();
  }

  /** A pod's ports at this node: those that the runtime names, and those that the API shows. */
  static List<Wish> wishes(ClusterState state, String device, Attachment attachment) {
    Claimant claimant = state.claimant(device, attachment);
    if (claimant.rank() == Rank.FINISHED) {
      return List.of();
    }
    Set<PortMapping> mappings = new TreeSet<>(attachment.portMappings());
    state
        .pod(attachment.pod())
        .filter(seen -> seen.uid().equals(attachment.uid()))
        .ifPresent(seen -> mappings.addAll(seen.hostPorts()));
    return wishes(claimant, attachment, mappings);
  }
}
