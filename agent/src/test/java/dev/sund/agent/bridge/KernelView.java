package dev.sund.agent.bridge;

import static dev.sund.kernel.testing.TestNetns.run;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.Sysctl;
import dev.sund.kernel.testing.Json;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * What a namespace holds, as {@code ip} and the settings' files tell it, in words that two
 * namespaces made alike have in common: devices of random names are called by their bridge,
 * hardware addresses and link-local addresses are left out.
 */
final class KernelView {
  private KernelView() {}

  /** One line a device, address, route and setting, sorted. */
  static List<String> of(NetNs namespace) throws KernelException {
    List<Json> devices = Json.parse(run(namespace, "ip", "-j", "-d", "address")).list();
    Map<String, String> names = new HashMap<>();
    List<String> lines = new ArrayList<>();
    List<Sysctl> settings =
        new ArrayList<>(List.of(Sysctl.ipv4("ip_forward"), Sysctl.ipv6Conf("all", "forwarding")));
    for (Json device : devices) {
      String name = device.get("ifname").text();
      names.put(name, device.has("master") ? "port of " + device.get("master").text() : name);
    }
    for (Json device : devices) {
      String name = device.get("ifname").text();
      String called = names.getOrDefault(name, name);
      lines.add(called + " " + words(device));
      for (Json address : device.get("addr_info").list()) {
        if (!address.get("scope").text().equals("link")) {
          lines.add(
              called
                  + " has "
                  + address.get("local").text()
                  + "/"
                  + address.get("prefixlen").number()
                  + (address.has("broadcast") ? " brd " + address.get("broadcast").text() : "")
                  + " "
                  + address.get("scope").text());
        }
      }
      for (String setting : List.of("accept_ra", "accept_dad", "disable_ipv6")) {
        settings.add(Sysctl.ipv6Conf(name, setting));
      }
      settings.add(Sysctl.ipv4Conf(name, "arp_notify"));
    }
    for (String family : List.of("-4", "-6")) {
      for (Json route : Json.parse(run(namespace, "ip", "-j", family, "route")).list()) {
        if (!route.get("dst").text().startsWith("fe80:")) {
          lines.add(route(family, route, names));
        }
      }
    }
    Sysctl.readAll(namespace, settings)
        .forEach((setting, value) -> {
          String[] parts = setting.key().split("/", -1);
          String device = parts.length > 4 ? parts[3] : "";
          lines.add(
              setting.key().replace(device, names.getOrDefault(device, device)) + " = " + value);
        });
    lines.sort(null);
    return lines;
  }

  private static String words(Json device) {
    TreeSet<String> flags = new TreeSet<>();
    for (Json flag : device.get("flags").list()) {
      if (List.of("UP", "PROMISC", "LOWER_UP").contains(flag.text())) {
        flags.add(flag.text());
      }
    }
    String kind = "";
    String hairpin = "";
    if (device.has("linkinfo")) {
      Json info = device.get("linkinfo");
      kind = info.has("info_kind") ? info.get("info_kind").text() : "";
      if (info.has("info_slave_data")) {
        hairpin = " hairpin " + info.get("info_slave_data").get("hairpin");
      }
    }
    return kind
        + " mtu "
        + device.get("mtu").number()
        + " "
        + flags
        + " "
        + device.get("operstate").text()
        + hairpin;
  }

  private static String route(String family, Json route, Map<String, String> names) {
    StringBuilder text = new StringBuilder("route " + family + " " + route.get("dst").text());
    for (String key : List.of("gateway", "protocol", "scope", "prefsrc")) {
      if (route.has(key)) {
        text.append(' ').append(key).append(' ').append(route.get(key).text());
      }
    }
    if (route.has("metric")) {
      text.append(" metric ").append(route.get("metric").number());
    }
    if (route.has("dev")) {
      String device = route.get("dev").text();
      text.append(" dev ").append(names.getOrDefault(device, device));
    }
    if (route.has("nexthops")) {
      for (Json hop : route.get("nexthops").list()) {
        text.append(" via ").append(hop.get("gateway").text());
      }
    }
    return text.toString();
  }
}
