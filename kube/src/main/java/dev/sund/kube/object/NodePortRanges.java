package dev.sund.kube.object;

import dev.sund.engine.cluster.ServiceSettings.NodePorts;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** {@code nodePortAddresses}, of KubeProxyConfiguration and of a {@code Fabric}. */
public final class NodePortRanges {
  private static final String PRIMARY = "primary";
  private static final String LOCALHOST = "localhost";
  private static final String ALL = "all";

  private NodePortRanges() {}

  /**
   * At which addresses node ports are.
   *
   * @param primary whether an empty list means a node's own addresses, as with kube-proxy's
   *     nftables, rather than all
   */
  static NodePorts read(Field list, boolean primary) {
    return read(list).orElse(primary ? new NodePorts.Primary() : new NodePorts.AllLocal());
  }

  /** At which addresses node ports are; empty when the list is. */
  public static Optional<NodePorts> read(Field list) {
    List<Field> items = list.items();
    Set<Prefix> ranges = new LinkedHashSet<>();
    boolean primary = false;
    for (Field item : items) {
      String text = item.text().map(String::strip).orElse("");
      switch (text) {
        case ALL -> {
          ranges.add(Prefix.all(Family.V4));
          ranges.add(Prefix.all(Family.V6));
        }
        case PRIMARY -> primary = true;
        case LOCALHOST ->
            item.unused(
                "a node port at 127.0.0.1 would be open to everyone on the node's subnet"
                    + " (CVE-2020-8558)");
        default -> {
          Optional<Prefix> range = masked(text);
          if (range.isEmpty()) {
            item.invalid(
                "'" + text + "' is neither a CIDR nor one of all, primary, localhost.",
                "Write ranges of the nodes' addresses such as 192.168.1.0/24, or primary.");
          }
          range.ifPresent(ranges::add);
        }
      }
    }
    if (items.isEmpty()) {
      return Optional.empty();
    }
    if (primary && !ranges.isEmpty()) {
      list.invalid(
          "it has 'primary' and ranges, which Sund cannot join.",
          "Write primary alone, or a range that the nodes' own addresses are in too.");
    }
    return Optional.of(primary ? new NodePorts.Primary() : within(ranges));
  }

  /** As kube-proxy has it, a family of which nothing is said has all its addresses. */
  private static NodePorts within(Set<Prefix> ranges) {
    if (ranges.isEmpty()) {
      return new NodePorts.Within(List.of());
    }
    List<Prefix> all = new ArrayList<>(ranges);
    for (Family family : Family.values()) {
      if (ranges.stream().noneMatch(range -> range.family() == family)) {
        all.add(Prefix.all(family));
      }
    }
    boolean everything = all.containsAll(List.of(Prefix.all(Family.V4), Prefix.all(Family.V6)));
    return everything ? new NodePorts.AllLocal() : new NodePorts.Within(all);
  }

  /** The range, whatever bits stand behind its length; blanks around it do not matter. */
  static Optional<Prefix> masked(String text) {
    String range = text.strip();
    int slash = range.indexOf('/');
    if (slash > 0 && range.substring(slash + 1).matches("0|[1-9][0-9]{0,2}")) {
      int length = Integer.parseInt(range.substring(slash + 1));
      Optional<Ip> ip = Ip.tryParse(range.substring(0, slash));
      if (ip.isPresent() && length <= ip.get().family().bits()) {
        return Optional.of(Prefix.around(ip.get(), length));
      }
    }
    return Optional.empty();
  }
}
