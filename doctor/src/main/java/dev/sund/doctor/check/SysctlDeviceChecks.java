package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Setting;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.LongPredicate;

/**
 * Settings of single devices, and of all of them at once, that a plugin or a proxy depends on.
 * kernel: Documentation/networking/ip-sysctl.rst.
 */
public final class SysctlDeviceChecks {
  private static final String SYS = "proc/sys/";

  /** The chain by which kubelet and kube-proxy keep others from 127.0.0.0/8. */
  private static final String GUARD = "KUBE-FIREWALL";

  private SysctlDeviceChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "sysctl-devices",
            "what single devices are told",
            SysctlDeviceChecks::devices,
            SysctlDeviceChecks::told),
        new Check<>(
            "route-localnet",
            "whether others reach what listens at 127.0.0.1",
            SysctlDeviceChecks::localnet,
            SysctlDeviceChecks::ownAlone));
  }

  /** What may be wrong: how bad it is, what is right instead, and why it hurts. */
  private enum Trouble {
    FORWARDING(
        Severity.ERROR,
        "1",
        "The kernel forwards by other devices and not what comes by this one: pods behind it reach"
            + " nothing. systemd-networkd sets it by device (IPv4Forwarding=)."),
    PROXY_ARP(
        Severity.ERROR,
        "1",
        "Calico's pods ask for their gateway 169.254.1.1 by ARP, and nobody answers."),
    PROXY_DELAY(
        Severity.WARNING,
        "0",
        "The node waits up to %,d hundredths of a second before it answers a pod that asks for its"
            + " gateway: the first packet of each pod is that late."),
    STRICT_FILTER(
        Severity.WARNING,
        "0",
        "Cilium's packets come by other devices than the routes say, and are dropped."),
    INTERPRETED(
        Severity.WARNING,
        "1",
        "Cilium's programs are interpreted instead of compiled: several times the cost."),
    UNPRIVILEGED(
        Severity.WARNING, "1", "Every user of the node may load BPF programs into the kernel."),
    DEAD_HOPS(
        Severity.NOTE,
        "1",
        "Of several next hops one that does not answer is still given packets.");

    private final Severity severity;
    private final String right;
    private final String why;

    /** With the value, a number, in its place in {@code why}, where it has one. */
    Trouble(Severity severity, String right, String why) {
      this.severity = severity;
      this.right = right;
      this.why = why;
    }
  }

  /** What Cilium's agent sets to 1. */
  private static final Map<String, Trouble> CILIUM =
      Map.of(
          "kernel/unprivileged_bpf_disabled",
          Trouble.UNPRIVILEGED,
          "net/core/bpf_jit_enable",
          Trouble.INTERPRETED,
          "net/ipv4/fib_multipath_use_neigh",
          Trouble.DEAD_HOPS);

  /** A setting's value, and what is wrong with it. */
  private record Wrong(long value, Trouble trouble) {}

  /**
   * Settings of devices.
   *
   * @param wrong what is wrong, by key with slashes
   * @param read how many devices
   */
  record Devices(Map<String, Wrong> wrong, int read) {}

  private static Devices devices(Host host) throws UnreadException {
    Map<String, Wrong> wrong = new TreeMap<>();
    String folder = "net/ipv4/conf";
    boolean forwards = host.text(SYS + "net/ipv4/ip_forward").equals("1");
    int read = 0;
    boolean cilium = false;
    for (String device : host.names(SYS + folder)) {
      if (device.equals("all") || device.equals("default") || device.equals("lo")) {
        continue;
      }
      read++;
      String place = folder + "/" + device + "/";
      if (forwards) {
        look(host, place + "forwarding", value -> value == 0, Trouble.FORWARDING, wrong);
      }
      if (device.startsWith("cali")) {
        look(host, place + "proxy_arp", value -> value == 0, Trouble.PROXY_ARP, wrong);
        String delay = "net/ipv4/neigh/" + device + "/proxy_delay";
        look(host, delay, value -> value > 0, Trouble.PROXY_DELAY, wrong);
      }
      cilium |= device.equals("cilium_host");
      if (device.startsWith("lxc") || device.startsWith("cilium_")) {
        look(host, place + "rp_filter", value -> value == 1, Trouble.STRICT_FILTER, wrong);
      }
    }
    if (cilium) {
      for (Map.Entry<String, Trouble> set : CILIUM.entrySet()) {
        look(host, set.getKey(), value -> value == 0, set.getValue(), wrong);
      }
    }
    return new Devices(wrong, read);
  }

  private static void look(
      Host host, String key, LongPredicate bad, Trouble trouble, Map<String, Wrong> wrong)
      throws UnreadException {
    OptionalLong value = host.numberIfThere(SYS + key);
    if (value.isPresent() && bad.test(value.getAsLong())) {
      wrong.put(key, new Wrong(value.getAsLong(), trouble));
    }
  }

  private static Verdict told(Devices is) {
    List<Finding> findings = new ArrayList<>();
    is.wrong.forEach((key, one) -> {
      Trouble trouble = one.trouble;
      String name = key.replace('/', '.');
      Setting setting = new Setting.Sysctl(key, trouble.right);
      findings.add(
          new Finding(
              trouble.severity,
              name,
              name + " is " + one.value + ".",
              trouble.why.formatted(one.value),
              "sysctl -w " + setting + ", and a file in /etc/sysctl.d",
              comesAndGoes(key) ? List.of() : List.of(setting)));
    });
    return Verdict.of(findings, is.read + " devices, none is told otherwise than the node");
  }

  /** A pod's device is its plugin's to set: a file would name what is gone tomorrow. */
  private static boolean comesAndGoes(String key) {
    return key.matches("net/ipv4/(conf|neigh)/(cali|lxc|veth).*");
  }

  /**
   * Whether the node's own addresses of 127.0.0.0/8 can be reached by others.
   *
   * @param open {@code net.ipv4.conf.all.route_localnet}
   * @param guarded whether the rules of kubelet and kube-proxy that forbid it are there
   */
  record Localnet(boolean open, boolean guarded) {}

  private static Localnet localnet(Host host) throws UnreadException {
    boolean open = host.text(SYS + "net/ipv4/conf/all/route_localnet").equals("1");
    return new Localnet(open, open && Rules.of(host).has(one -> one.name().equals(GUARD)));
  }

  private static Verdict ownAlone(Localnet is) {
    String key = "net.ipv4.conf.all.route_localnet";
    if (!is.open) {
      return new Verdict.Right("127.0.0.0/8 is reached from the node alone");
    }
    if (is.guarded) {
      return new Verdict.Right(
          key + " is 1 for node ports at 127.0.0.1, and the chain " + GUARD + " is there");
    }
    return Verdict.of(
        List.of(
            Finding.set(
                Severity.WARNING,
                key,
                key + " is 1, and no chain " + GUARD + " keeps others out.",
                "Who is on one link with the node reaches what listens at 127.0.0.1 and asks for no"
                    + " password because of that.",
                List.of(new Setting.Sysctl("net/ipv4/conf/all/route_localnet", 0)),
                "; kube-proxy of mode iptables sets it for node ports at 127.0.0.1:"
                    + " iptables: {localhostNodePorts: false} in its configuration")),
        "");
  }
}
