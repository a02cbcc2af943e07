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

  private static final OptionalLong NONE = OptionalLong.empty();

  /** What Cilium's agent sets to 1. */
  private static final List<String> CILIUM =
      List.of(
          "kernel/unprivileged_bpf_disabled",
          "net/core/bpf_jit_enable",
          "net/ipv4/fib_multipath_use_neigh");

  /**
   * Settings of devices.
   *
   * @param wrong what is wrong, by key with slashes
   * @param read how many devices
   */
  record Devices(Map<String, String> wrong, int read) {}

  private static Devices devices(Host host) throws UnreadException {
    Map<String, String> wrong = new TreeMap<>();
    String folder = SYS + "net/ipv4/conf";
    boolean forwards = host.text(SYS + "net/ipv4/ip_forward").equals("1");
    int read = 0;
    boolean cilium = false;
    for (String device : host.names(folder)) {
      if (device.equals("all") || device.equals("default") || device.equals("lo")) {
        continue;
      }
      read++;
      String place = folder + "/" + device + "/";
      if (forwards && host.textIfThere(place + "forwarding").filter("0"::equals).isPresent()) {
        wrong.put("net/ipv4/conf/" + device + "/forwarding", "0");
      }
      if (device.startsWith("cali")
          && host.textIfThere(place + "proxy_arp").filter("0"::equals).isPresent()) {
        wrong.put("net/ipv4/conf/" + device + "/proxy_arp", "0");
      }
      String delay = "net/ipv4/neigh/" + device + "/proxy_delay";
      OptionalLong waits = device.startsWith("cali") ? host.numberIfThere(SYS + delay) : NONE;
      if (waits.isPresent() && waits.getAsLong() > 0) {
        wrong.put(delay, Long.toString(waits.getAsLong()));
      }
      cilium |= device.equals("cilium_host");
      if ((device.startsWith("lxc") || device.startsWith("cilium_"))
          && host.textIfThere(place + "rp_filter").filter("1"::equals).isPresent()) {
        wrong.put("net/ipv4/conf/" + device + "/rp_filter", "1");
      }
    }
    for (String key : cilium ? CILIUM : List.<String>of()) {
      if (host.textIfThere(SYS + key).filter("0"::equals).isPresent()) {
        wrong.put(key, "0");
      }
    }
    return new Devices(wrong, read);
  }

  private static Verdict told(Devices is) {
    List<Finding> findings = new ArrayList<>();
    is.wrong.forEach((key, value) -> {
      String why;
      Severity severity = Severity.ERROR;
      String right = "1";
      if (key.endsWith("/forwarding")) {
        why =
            "The kernel forwards by other devices and not what comes by this one: pods behind it"
                + " reach nothing. systemd-networkd sets it by device (IPv4Forwarding=).";
      } else if (key.endsWith("/proxy_arp")) {
        why = "Calico's pods ask for their gateway 169.254.1.1 by ARP, and nobody answers.";
      } else if (key.endsWith("/rp_filter")) {
        why = "Cilium's packets come by other devices than the routes say, and are dropped.";
        severity = Severity.WARNING;
        right = "0";
      } else if (key.endsWith("/proxy_delay")) {
        why =
            "The node waits up to %,d hundredths of a second before it answers a pod that asks for"
                    .formatted(Long.parseLong(value))
                + " its gateway: the first packet of each pod is that late.";
        severity = Severity.WARNING;
        right = "0";
      } else if (key.endsWith("/bpf_jit_enable")) {
        why = "Cilium's programs are interpreted instead of compiled: several times the cost.";
        severity = Severity.WARNING;
      } else if (key.endsWith("/unprivileged_bpf_disabled")) {
        why = "Every user of the node may load BPF programs into the kernel.";
        severity = Severity.WARNING;
      } else {
        why = "Of several next hops one that does not answer is still given packets.";
        severity = Severity.NOTE;
      }
      String name = key.replace('/', '.');
      Setting setting = new Setting.Sysctl(key, right);
      findings.add(
          new Finding(
              severity,
              name,
              name + " is " + value + ".",
              why,
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
