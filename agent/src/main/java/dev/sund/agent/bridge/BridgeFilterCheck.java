package dev.sund.agent.bridge;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.Sysctl;
import dev.sund.kernel.route.BridgeFilter;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Whether the node's rules see what goes from one port of a bridge to another: policies between
 * containers on one bridge, and Services that lead back onto it, need that. A bridge shows it when
 * the module {@code br_netfilter} is there and either its own setting or the namespace's says so;
 * the bridges that Sund made have their own.
 */
final class BridgeFilterCheck {
  private static final Sysctl V4 = new Sysctl("net/bridge/bridge-nf-call-iptables");
  private static final Sysctl V6 = new Sysctl("net/bridge/bridge-nf-call-ip6tables");

  private BridgeFilterCheck() {}

  /** What is missing, for bridges that have containers. Not on a virtual thread. */
  static List<Condition> of(NetNs node, Map<String, BridgeFilter> bridges) throws KernelException {
    return of(Sysctl.readAll(node, List.of(V4, V6)), bridges);
  }

  /** As {@link #of(NetNs, Map)}, by what the settings are; missing ones do not exist. */
  static List<Condition> of(Map<Sysctl, String> values, Map<String, BridgeFilter> bridges) {
    if (bridges.isEmpty()) {
      return List.of();
    }
    if (values.isEmpty()) {
      return List.of(
          condition(
              String.join(" ", bridges.keySet()),
              "br_netfilter",
              "The module br_netfilter is not loaded",
              "modprobe br_netfilter, and name it in /etc/modules-load.d; or use the plugin"
                  + " sund."));
    }
    List<Condition> missing = new ArrayList<>();
    bridges.forEach((name, filter) -> {
      for (Sysctl setting : List.of(V4, V6)) {
        boolean shown = setting.equals(V4) ? filter.v4() : filter.v6();
        if (!shown && !"1".equals(values.get(setting))) {
          String own = setting.equals(V4) ? "nf_call_iptables" : "nf_call_ip6tables";
          missing.add(
              condition(
                  name,
                  own,
                  "It is 0, and so is " + setting.key().replace('/', '.'),
                  "ip link set " + name + " type bridge " + own + " 1; or use the plugin sund."));
        }
      }
    });
    return missing;
  }

  private static Condition condition(String bridges, String field, String why, String remedy) {
    return new Condition(
        Reason.BRIDGE_UNFILTERED,
        new ObjectRef("bridge", bridges),
        field,
        why
            + ": packets between containers on this bridge pass by the node's rules. Those of"
            + " pods with policies are dropped.",
        remedy);
  }
}
