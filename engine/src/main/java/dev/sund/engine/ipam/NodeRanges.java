package dev.sund.engine.ipam;

import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.List;
import java.util.Optional;

/**
 * Mode {@code kubernetes}: the node gives from its own {@code spec.podCIDRs}, which the cluster's
 * controller gives to no other node. Of each range the first address stays free, since it is the
 * node's tunnel address (see the decision about it) and the all-routers address of IPv6, and of an
 * IPv4 range the last, which old software takes for the broadcast address.
 */
public final class NodeRanges implements AddressSource {
  private final NodeName node;
  private final AddressBook book;
  private volatile List<Prefix> ranges = List.of();

  /** A node that has no ranges yet. */
  NodeRanges(NodeName node, AddressBook book) {
    this.node = node;
    this.book = book;
  }

  /** From now on these are the node's ranges. From any thread. */
  void ranges(List<Prefix> now) {
    ranges = List.copyOf(now);
  }

  /** The node's ranges. */
  List<Prefix> ranges() {
    return ranges;
  }

  @Override
  public List<Portion> portions(AddressRequest request, Family family) {
    List<IpRange> given =
        ranges.stream()
            .filter(range -> range.family() == family)
            .flatMap(range -> usable(range).stream())
            .sorted(java.util.Comparator.comparing(IpRange::first))
            .toList();
    return given.isEmpty() ? List.of() : List.of(new Portion("", given));
  }

  /** What of a range is given; nothing of one that is too small. */
  static Optional<IpRange> usable(Prefix range) {
    int bits = range.family().bits() - range.length();
    boolean four = range.family() == Family.V4;
    if (bits < (four ? 2 : 1)) {
      return Optional.empty();
    }
    Ip last = four ? range.last().plus(-1) : range.last();
    return Optional.of(new IpRange(range.address().plus(1), last));
  }

  @Override
  public More more(Portion portion) {
    return More.NONE;
  }

  @Override
  public Optional<Allocation.Refused> claim(Ip ip, AddressRequest request) {
    if (ranges.stream().anyMatch(range -> range.contains(ip))) {
      return Optional.empty();
    }
    return Optional.of(
        new Allocation.Refused(
            new Condition(
                Reason.ADDRESS_NOT_AVAILABLE,
                new ObjectRef("Pod", request.pod().toString()),
                "ips",
                ip + " is asked for, but node " + node + " gives addresses of " + ranges + ".",
                "Ask for an address of the node's podCIDRs, or for none."),
            false));
  }

  @Override
  public Word confirm(Ip ip, long since) {
    return Word.YES;
  }

  @Override
  public Condition nothing(AddressRequest request, Family family) {
    return new Condition(
        Reason.NODE_WITHOUT_POD_CIDR,
        new ObjectRef("Node", node.text()),
        "spec.podCIDRs",
        ranges.isEmpty()
            ? "The node has no pod range to give addresses from."
            : "The node's pod ranges "
                + ranges
                + " have no "
                + family.label()
                + " address to give.",
        "Start the controller manager with --allocate-node-cidrs and a --cluster-cidr, or use"
            + " ipam: pools.");
  }

  @Override
  public Condition full(AddressRequest request, Family family) {
    List<IpRange> all =
        portions(request, family).stream().flatMap(p -> p.ranges().stream()).toList();
    AddressBook.Count count = book.count(all);
    List<Prefix> own = ranges.stream().filter(range -> range.family() == family).toList();
    return new Condition(
        Reason.POOL_FULL,
        new ObjectRef("Node", node.text()),
        "spec.podCIDRs",
        "All %d addresses of %s are taken: %d by pods of this node, %d cool down, %d are reserved."
            .formatted(count.all(), own, count.used(), count.cooling(), count.reserved()),
        "See who has them with 'sund ipam show'; run fewer pods here, or give nodes larger ranges"
            + " (--node-cidr-mask-size).");
  }
}
