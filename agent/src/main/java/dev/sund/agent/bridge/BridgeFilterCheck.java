package dev.sund.agent.bridge;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.Sysctl;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Whether the node's rules see what goes from one port of a bridge to another: policies between
 * containers on one bridge, and Services that lead back onto it, need that.
 */
final class BridgeFilterCheck {
  private static final List<Sysctl> SETTINGS =
      List.of(
          new Sysctl("net/bridge/bridge-nf-call-iptables"),
          new Sysctl("net/bridge/bridge-nf-call-ip6tables"));

  private BridgeFilterCheck() {}

  /** What is missing, for a bridge that has containers. Not on a virtual thread. */
  static List<Condition> of(NetNs node, String bridge) throws KernelException {
    return of(Sysctl.readAll(node, SETTINGS), bridge);
  }

  /** As {@link #of(NetNs, String)}, by what the settings are; missing ones do not exist. */
  static List<Condition> of(Map<Sysctl, String> values, String bridge) {
    List<Condition> missing = new ArrayList<>();
    for (Sysctl setting : SETTINGS) {
      String value = values.getOrDefault(setting, "");
      if (!value.equals("1")) {
        missing.add(
            new Condition(
                Reason.BRIDGE_UNFILTERED,
                new ObjectRef("bridge", bridge),
                setting.key().replace('/', '.'),
                (value.isEmpty() ? "The module br_netfilter is not loaded" : "It is " + value)
                    + ": packets between containers on this bridge pass by the node's rules.",
                value.isEmpty()
                    ? "modprobe br_netfilter, and set it to 1; or use the plugin sund."
                    : "Set it to 1, or use the plugin sund."));
      }
    }
    return missing;
  }
}
