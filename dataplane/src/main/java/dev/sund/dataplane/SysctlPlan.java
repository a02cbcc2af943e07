package dev.sund.dataplane;

import dev.sund.kernel.Sysctl;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Which settings a node needs, given those it has: forwarding in the families in use, reverse path
 * filters no stricter than loose on the devices that carry pods' packets, and routers' advice still
 * taken where the node lives by it. A pure function, used by the driver and by verify.
 *
 * @param v4 whether IPv4 is forwarded
 * @param v6 whether IPv6 is forwarded
 * @param devices the devices that carry pods' packets between nodes: tunnels and uplinks
 * @param uplinks the node's own devices that may live by routers' advice
 */
record SysctlPlan(boolean v4, boolean v6, SortedSet<String> devices, SortedSet<String> uplinks) {
  static final Sysctl FORWARD_V4 = Sysctl.ipv4("ip_forward");
  static final Sysctl FORWARD_V6 = Sysctl.ipv6Conf("all", "forwarding");
  private static final Sysctl NO_V6 = Sysctl.ipv6Conf("default", "disable_ipv6");
  private static final Sysctl STRICT_ALL = Sysctl.ipv4Conf("all", "rp_filter");

  SysctlPlan {
    devices = java.util.Collections.unmodifiableSortedSet(new TreeSet<>(devices));
    uplinks = java.util.Collections.unmodifiableSortedSet(new TreeSet<>(uplinks));
  }

  /** What has to be read to know what is needed. */
  List<Sysctl> inputs() {
    List<Sysctl> inputs = new ArrayList<>(List.of(FORWARD_V4, FORWARD_V6, NO_V6, STRICT_ALL));
    devices.forEach(device -> inputs.add(strict(device)));
    uplinks.forEach(device -> inputs.add(advice(device)));
    return inputs;
  }

  /**
   * The settings that are needed, in the order of writing.
   *
   * @param values what the inputs are now; missing ones do not exist
   * @param forwardingIsOurs whether IPv6 forwarding is on because we switched it on
   */
  Map<Sysctl, String> needed(Map<Sysctl, String> values, boolean forwardingIsOurs) {
    Map<Sysctl, String> needed = new LinkedHashMap<>();
    if (v6) {
      // A node that forwards does not take routers' advice (1) unless told so (2): it would lose
      // its default route when that expires. Where forwarding was on before, that was its choice.
      if (forwardingIsOurs || !"1".equals(values.get(FORWARD_V6))) {
        for (String device : uplinks) {
          if ("1".equals(values.get(advice(device)))) {
            needed.put(advice(device), "2");
          }
        }
      }
      if (values.containsKey(FORWARD_V6)) {
        needed.put(FORWARD_V6, "1");
      }
      if ("1".equals(values.get(NO_V6))) {
        needed.put(NO_V6, "0"); // devices of ours that are still to be made
      }
    }
    if (v4) {
      needed.put(FORWARD_V4, "1");
      for (String device : devices) {
        if (values.containsKey(strict(device)) && effective(values, device) == 1) {
          needed.put(strict(device), "2"); // the larger of all and the device's counts
        }
      }
    }
    return needed;
  }

  private static int effective(Map<Sysctl, String> values, String device) {
    return Math.max(
        number(values.getOrDefault(STRICT_ALL, "0")),
        number(values.getOrDefault(strict(device), "0")));
  }

  private static int number(String text) {
    return text.length() == 1 ? Character.digit(text.charAt(0), 10) : 0;
  }

  private static Sysctl strict(String device) {
    return Sysctl.ipv4Conf(device, "rp_filter");
  }

  private static Sysctl advice(String device) {
    return Sysctl.ipv6Conf(device, "accept_ra");
  }
}
